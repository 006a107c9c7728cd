export const SUMO_GUIDE = `Sumo Logic through an HTTP Logs source

1. Sumo Logic: Data Management > Collection > Add Hosted Collector > Add Source > HTTP Logs & Metrics. For a refill make a source of its own: Sumo
   expects the times of one source to lie close together, and re-dates a message that is more than about a day away from the ones before it,
   or about a year old, or two days ahead. It answers 200 all the same.
2. Advanced Options for Logs: Extract timestamp on; Timestamp Format "Specify a format": yyyy-MM-dd'T'HH:mm:ss.SSS'Z' with the locator
   "createdAt":"([^"]+)"  (expiresAt would be found as well); time zone UTC, applied to all. Message processing: one message a line.
3. Copy the HTTP Source Address. It holds a secret: keep it like a token. With "Show token" the address and the token come apart.
4. Paste into the configuration, under "streams":

   "sumo": {
     "provider": "sumo-logic",
     "url": "env:SUMO_URL",
     "token": "env:SUMO_TOKEN"
   }

   Leave "token" out where the address holds everything. "compress": "gzip" is taken.
5. For gaps and --verify give the held ids: "inventory": { "command": ["./held-ids.sh"] } (see auditctl stream guide custom), or a file from the
   search below, exported as CSV, with --inventory held.csv --inventory-field id.
6. auditctl stream test sumo              (reaches the address; add --send for one marked event)
   auditctl backfill --all --from 24h --stream sumo --dry-run

An event longer than 64 KB would be split by Sumo: it goes to the dead-letter file instead. Events older than a year are sent, and Sumo dates them
by their arrival (--late skip leaves them out); createdAt in the message is the true time.
Look for what is held:          _source=infisical | json "id", "createdAt" | count by id, createdAt
Look for what was re-dated:     search by receipt time, then  | where formatDate(_messagetime, "yyyy-MM-dd") != substring(createdAt, 0, 10)
`
