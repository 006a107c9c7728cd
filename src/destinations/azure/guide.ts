export const AZURE_GUIDE = `Azure Monitor Logs and Microsoft Sentinel (Logs Ingestion API)

1. Entra: App registrations > New registration; Certificates & secrets > New client secret. Note tenant id, client id and secret.
2. Log Analytics workspace > Tables > Create > New custom log (DCR based), table InfisicalLogs, with a data collection endpoint. Sample to paste:

   [{"TimeGenerated":"2026-01-01T00:00:00.000Z","createdAt":"2026-01-01T00:00:00.000Z","EventId":"1b6f0c52-7d0e-4a56-9a53-0a6f5d7f1e11",
     "id":"1b6f0c52-7d0e-4a56-9a53-0a6f5d7f1e11","actor":"user","actorMetadata":{},"ipAddress":"198.51.100.1","userAgent":"cli",
     "userAgentType":"cli","eventType":"get-secret","eventMetadata":{},"projectName":"p","orgId":"o","projectId":"p","auditctl":{}}]

   Infisical's own guide leaves createdAt out. Without it a refill older than two days loses its true time, because Azure overwrites
   TimeGenerated. For a table that exists: add the column createdAt (datetime) to the table and to the stream declaration of the rule, and
   "extend EventId = tostring(id)" to its transformation if id is not kept (id is a reserved name). auditctl stream test says what is there.
3. Data collection rule > Access control (IAM): role Monitoring Metrics Publisher for the app. It takes up to 30 minutes; 403 until then.
4. For gaps and --verify: Log Analytics workspace > Access control (IAM): role Log Analytics Reader for the app; note the workspace id.
5. Paste into the configuration, under "streams":

   "sentinel": {
     "provider": "azure",
     "tenantId": "…", "clientId": "…", "clientSecret": "env:AZ_SECRET",
     "endpoint": "https://<name>.<region>-1.ingest.monitor.azure.com",
     "ruleId": "dcr-…",
     "table": "InfisicalLogs",
     "timeColumn": "createdAt",
     "workspaceId": "…"
   }

   Leave "timeColumn" out where the table has no such column; "idField": "EventId" where the id is in another column than id. Without a client
   secret (managed identity, workload identity, certificate, az login): npm install @azure/identity, and "credential".
6. auditctl stream test sentinel      (token, role, rule and columns; add --send for one row)
   auditctl gaps --stream sentinel --from 24h

The first rows of a new table take 5 to 15 minutes: set "grace": "30m" for the first refill. Azure answers 204 to everything it can parse, then
drops properties that the rule does not declare and cuts fields over 64 KB; auditctl refuses the latter before sending.
Old events (over 47 hours): with "timeColumn" they are sent without TimeGenerated, so that they stand at the hour of the refill and createdAt keeps
the true time; without it they are skipped, unless --late restamp accepts the loss ("late": "restamp" in the stream then, so that gaps finds
such rows by their ids). Sentinel rules look at TimeGenerated and may fire.
Look for what is held:   InfisicalLogs_CL | where createdAt >= ago(1d) | project id, createdAt
`
