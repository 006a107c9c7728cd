export const BETTER_STACK_GUIDE = `Better Stack Telemetry (formerly Logtail)

1. Better Stack: Telemetry > Sources: open the source of the live stream, or connect a new one of the platform HTTP. Its page "Data ingestion"
   shows the source token and the ingesting host (https://s<number>.<region>.betterstackdata.com).
2. The live stream of Infisical: Organization > Audit Log Streams > Add, provider Custom:
      Endpoint URL    https://<ingesting host>/
      Header          Authorization: Bearer <source token>
   It sends no dt, so that its rows stand at the time of their arrival; what auditctl refills carries dt, the event's own time.
3. For gaps and --verify: Integrations > Connect ClickHouse HTTP client (SQL API): pick the region of the source, create a connection, and note
   username and password (shown once). They work for one region and one team. The table is t<team>_<source>, as the SQL page shows it in
   remote(t123_src_logs), without _logs. Without "search" the stream can still be filled, with --all or --inventory.
4. Paste into the configuration, under "streams":

   "bs": {
     "provider": "better-stack",
     "url": "https://s1234567.eu-nbg-2.betterstackdata.com",
     "token": "env:BS_TOKEN",
     "search": {
       "url": "https://eu-nbg-2-connect.betterstackdata.com",
       "username": "u1a2b3c4",
       "password": "env:BS_PASS",
       "table": "t123456_infisical"
     }
   }

   "search": { "kind": "warehouse" }   the source is a warehouse source (tables _events and _timeseries)
   "search": { "slack": "48h" }        how late after its own time a live event may have arrived
   "eventTime": false                  leave out dt: refilled events then stand at the time of their refill
5. auditctl stream test bs             (token; add --send for one marked event, dated an hour back)
   auditctl backfill --from 24h --stream bs --probe

Old events. Whether a source keeps events under a dt of any age is not documented (until 2023 it was 15 minutes), and a dt that it does not like is
not refused: the row stands at its arrival instead, or is missing. Refill with --probe or --verify first. Where old times turn out to be refused, say
so with "acceptWindow": { "past": "15m" } and choose with "late": skip, restamp, archive or fail.
402 means that the plan is used up: everything is refused until it is raised, also the live stream.
Rows lie in two stores: about the last 40 minutes in remote(t123_src_logs), all older ones in s3Cluster(primary, t123_src_s3) WHERE _row_type = 1.
A query of one of them alone answers with a part and says nothing.
`
