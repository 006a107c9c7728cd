export const CUSTOM_GUIDE = `Any HTTP endpoint, as Infisical's custom stream sends to it

1. The receiver takes POST with Content-Type: application/json and a JSON array of events, up to 500 events or 1 MB, and answers 2xx once they
   are kept. A web page with a 2xx counts as no answer. Redirects are never followed: give the final address.
2. Paste into the configuration, under "streams", with the same headers as in the product's stream:

   "hook": {
     "provider": "custom",
     "url": "https://siem.example.com/in",
     "headers": { "Authorization": "env:HOOK_AUTH" }
   }

   "mode": "single"               one bare object a request, for streams made before batching (the product's switch is one-way)
   "format": "ndjson"             one object a line, for receivers that read an array as one record
   "expect": { "pointer": "/status", "equals": "ok" }     what a 2xx must say to be believed; without "equals": the number of events
   "signing": { "secret": "env:HOOK_SECRET" }             Standard Webhooks (whsec_ and base64 of 24 to 64 bytes); not with gzip.
                                  Its guidance is payloads under 20 kB, which batches exceed.
   "idempotencyKey": true         Idempotency-Key: the same for the same events, on every attempt and in every run
3. For gaps and --verify, tell how to learn which ids the far side holds, by a command or by an address:

   "inventory": { "command": ["./held-ids.sh"] }
      runs without a shell, with AUDITCTL_FROM and AUDITCTL_TO (ISO 8601 UTC, the end outside). It prints ids, one a line, or JSON Lines with
      "id", and ends with {"auditctl":"end","count":N} and exit code 0. Without that last line its answer counts as incomplete.
   "inventory": { "url": "https://siem.example.com/ids?from={from}&to={to}", "headers": { "Authorization": "env:HOOK_AUTH" },
                  "items": "/rows", "id": "/id", "next": "/next" }
      JSON pointers to the rows, to the id in a row, and to the next page: a link of the same origin, or a cursor for {cursor} in the address.
      The answer is whole when next is absent or null.
   Or give a file for one run: --inventory held.txt --inventory-window FROM/TO.
4. auditctl stream test hook              (reaches the address; add --send for one marked event)
   auditctl backfill --all --from 24h --stream hook --dry-run

Behind a custom stream:
   Cortex XSIAM   "url": "https://api-<tenant>.xdr.<region>.paloaltonetworks.com/logs/v1/event", "format": "ndjson",
                  "headers": { "Authorization": "env:XSIAM_KEY", "Content-Type": "application/json" }    the bare key, without Bearer;
                  collector with log format JSON, uncompressed. The provider xsiam does this, dates events and searches: prefer it.
   Better Stack   "url": "https://<ingesting host>/", "headers": { "Authorization": "env:BS_AUTH" }    BS_AUTH holds Bearer <source token>.
                  The provider better-stack adds dt, the event's own time, and searches: prefer it.
   Rapid7         InsightIDR: Data Collection > Add Event Source > Raw Data > Custom Logs, collection method Webhook, gives an address that holds its
                  own key: "url": "<that address>", without headers. The product's stream sends an array, which may be kept as one record:
                  "format": "ndjson" makes a record of each event. Events stand at the time of their arrival; createdAt is the true time.
`
