const SHARED = `
Layouts: "hive" (default)  <prefix>/source=<source>/dt=2026-11-20/hour=02/part-<ms>-<sha256>.jsonl.gz
         "circleci"        <prefix>/year=2026/month=11/day=20/hour=02/<time>_<sha1>, plain
         "flat"            <prefix>/<from>_<to>_<sha256>.jsonl.gz
Events stand in the hour in which they happened. A key holds the digest of its content and is created only if it is free, so a repeat changes
nothing. Each run writes its manifest last. "compress": "gzip" (default), "zstd" or "none".
The same stream is its own inventory: auditctl gaps --stream lake --from 7d reads the ids back.
Add a lifecycle rule that ends incomplete uploads after a day.
`

export const S3_GUIDE = `Amazon S3, or a store that speaks S3

1. Install the SDK once, beside auditctl:  npm install @aws-sdk/client-s3   (and @aws-sdk/credential-providers for "roleArn" or "profile")
2. Permissions: s3:PutObject, s3:GetObject and s3:AbortMultipartUpload on arn:aws:s3:::<bucket>/<prefix>/*, s3:ListBucket on the bucket;
   with a customer key also kms:GenerateDataKey and kms:Decrypt.
3. Credentials: nothing to set where the SDK finds them itself (environment, shared files, SSO, web identity, container, instance);
   or "profile", "roleArn" (with "externalId"), or "accessKeyId" and "secretAccessKey".
4. Paste into the configuration, under "streams":

   "lake": { "provider": "s3", "bucket": "acme-lake", "prefix": "audit", "region": "eu-west-1" }

   Another store: "endpoint": "https://s3.example.com". A customer key: "kmsKeyId".
5. auditctl stream test lake            (add --send to write one event)
${SHARED}`

export const GCS_GUIDE = `Google Cloud Storage

1. Install the SDK once, beside auditctl:  npm install @google-cloud/storage
2. Permissions on the bucket: storage.objects.create, .get and .list (roles Storage Object Creator and Storage Object Viewer).
3. Credentials: Application Default Credentials (GOOGLE_APPLICATION_CREDENTIALS, gcloud, the metadata server),
   or "credentials": "file:key.json", or "accessToken".
4. Paste into the configuration, under "streams":

   "lake": { "provider": "gcs", "bucket": "acme-lake", "prefix": "audit" }

5. auditctl stream test lake            (add --send to write one event)
${SHARED}`

export const AZURE_GUIDE = `Azure Blob Storage

1. Install the SDK once, beside auditctl:  npm install @azure/storage-blob   (and @azure/identity to sign in with Entra ID)
2. Role on the container: Storage Blob Data Contributor; or a SAS with the permissions r, c, w and l.
3. Credentials: "connectionString", "accountKey" or "sasToken" as a secret reference; or none of them for Entra ID
   ("tenantId", "clientId" and "clientSecret", or whatever @azure/identity finds).
4. Paste into the configuration, under "streams":

   "lake": { "provider": "azure-blob", "account": "acmelake", "container": "audit", "prefix": "audit" }

5. auditctl stream test lake            (add --send to write one event)
${SHARED}`
