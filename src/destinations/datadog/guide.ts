export const DATADOG_GUIDE = `Datadog Logs

1. Datadog: Organization Settings > API Keys: use the key of the live stream, or a new one of the same site. Keys belong to one site.
2. For gaps and --verify: Organization Settings > Application Keys, one with the scope logs_read_data, of a user whose role has no
   restriction query on these logs (such a query hides rows without a word). Without appKey the stream can still be filled, with --all or
   --inventory.
3. Logs > Configuration > Indexes: an index must take source:infisical, with no exclusion filter and a daily quota that fits the refill.
   Datadog answers 202 also to what an exclusion filter or a spent quota then throws away.
4. Paste into the configuration, under "streams":

   "dd": {
     "provider": "datadog",
     "site": "datadoghq.eu",
     "apiKey": "env:DD_API_KEY",
     "appKey": "env:DD_APP_KEY",
     "env": "production",
     "host": "vault.example.com"
   }

   "host": the host of the product's SITE_URL, as the live stream sends it; "env": its NODE_ENV. Logs that go to Flex Logs or to one index only:
   "search": { "storageTier": "flex", "indexes": ["audit"] }. "intakeUrl" and "apiUrl" replace the site's own hosts.
5. auditctl stream test dd            (keys; add --send for one log)
   auditctl gaps --stream dd --from 12h

Old events. Datadog drops a log that is more than 18 hours old (or 2 hours ahead) after it has answered 202. auditctl therefore treats events
older than 17 hours as late:
   --late skip       (default) leaves them out, in the dead-letter file
   --late restamp    sends them without a timestamp: they stand at the hour of the refill, tagged backfill:true, with createdAt (or
                     audit.occurred_at) as the true time. Monitors may fire: leave them out with -backfill:true
   --late archive    writes Datadog's archive layout to a folder, to be put beside your log archive and rehydrated
Look for what is held:   source:infisical @id:*        What was refilled late:   source:infisical backfill:true
`
