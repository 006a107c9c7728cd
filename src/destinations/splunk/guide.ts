export const GUIDE = `Splunk through the HTTP Event Collector (HEC)

1. Splunk: Settings > Data inputs > HTTP Event Collector > Global Settings: All Tokens Enabled.
2. New Token: source type _json, allowed indexes: the audit index. Use the token of the live stream, or one that may write to the same index,
   so that refilled events stand beside the live ones. Leave "Enable indexer acknowledgement" off, or set "acknowledge": true below.
3. Address: https://<host>:8088; on Splunk Cloud https://http-inputs-<stack>.splunkcloud.com:443 (AWS) or
   https://http-inputs.<stack>.splunkcloud.com:443 (Google Cloud, Azure).
4. For gaps and --verify, a search token: Settings > Tokens > New Token, for a user whose role may search the audit index with no search
   filter and no time limit. The search API is port 8089; on Splunk Cloud it must be opened first (a support ticket, or the ACS allow list
   search-api). A HEC token cannot search. Without "search" the stream can still be filled, with --all or --inventory.
5. Paste into the configuration, under "streams":

   "soc": {
     "provider": "splunk",
     "url": "https://hec.example.com:8088",
     "token": "env:HEC_TOKEN",
     "index": "audit",
     "search": { "url": "https://splunk.example.com:8089", "token": "env:SPLUNK_TOKEN", "index": "audit" }
   }

   "host": the host of the product's SITE_URL, as the live stream sends it. A private certificate authority: "tls": { "caFile": "ca.pem" }.
6. auditctl stream test soc            (token and address; add --send for one marked event)
   auditctl gaps --stream soc --from 24h

Splunk keeps an event as long as its index does (frozenTimePeriodInSecs): older events are accepted and then vanish. Where the search token may read
that of the named index, a run calls them late; otherwise say it with "acceptWindow": { "past": "90d" }.
Look for what is held:
   index=audit source=infisical sourcetype=_json | spath input=_raw path=id output=aid | spath input=_raw path=createdAt output=at | table aid at
`
