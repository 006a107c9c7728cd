export const XSIAM_GUIDE = `Palo Alto Cortex XSIAM / XDR through a custom HTTP Log Collector

1. XSIAM: Settings > Data Sources > Add Data Source > Custom - HTTP based Collector (not the one named after Cribl, which asks for other headers):
      Compression   uncompressed          ("compress": "gzip" below where it is gzip; a mismatch is answered 500)
      Log Format    JSON
      Vendor        Infisical
      Product       Audit Logs
   Save & Generate Token: the key is shown once. The rows land in the dataset <vendor>_<product>_raw, here infisical_audit_logs_raw.
2. The live stream of Infisical: Organization > Audit Log Streams > Add, provider Custom:
      Endpoint URL    https://api-<tenant>/logs/v1/event
      Header          Authorization: <collector key>        (bare, without Bearer)
   It sends a JSON array on one line; look at the dataset whether the tenant makes one row of each event. auditctl sends one event a line.
3. Parsing rule (Settings > Configurations > Data Management > Parsing Rules), so that rows stand at the event's own time and a refill does not
   land at the hour of the refill:

   [INGEST:vendor="infisical", product="audit_logs", target_dataset="infisical_audit_logs_raw", no_hit=keep]
   alter _time = parse_timestamp("%Y-%m-%dT%H:%M:%E*SZ", createdAt);

4. For gaps and --verify: Settings > Configurations > API Keys > New Key, with a role that may run XQL queries. Note the key and its number
   (column ID). A collector key cannot search. Queries cost units of a daily quota that analysts use too.
5. Paste into the configuration, under "streams":

   "xsiam": {
     "provider": "xsiam",
     "url": "https://api-acme.xdr.eu.paloaltonetworks.com/logs/v1/event",
     "token": "env:XSIAM_KEY",
     "search": {
       "url": "https://api-acme.xdr.eu.paloaltonetworks.com",
       "keyId": "7",
       "key": "env:XQL_KEY",
       "dataset": "infisical_audit_logs_raw"
     }
   }

   "search": { "keyType": "advanced" }   the key was made as an advanced one (default standard)
   "search": { "quotaFloor": 1 }         stop searching when fewer query units are left of the day
   "eventTime": false                    leave out _time, as the live stream does
6. auditctl stream test xsiam            (key; add --send for three marked events in one request)
   auditctl gaps --stream xsiam --from 24h

A row can be found as long as the dataset keeps it hot: events older than its retention may be accepted and never seen.
Look for what is held:   dataset = infisical_audit_logs_raw | fields id, createdAt, _time, _insert_time | limit 100
`
