export const CRIBL_GUIDE = `Cribl Stream through its HTTP/S (Bulk API) source

1. Cribl: Data > Sources > HTTP (the shipped source listens on 10080, plain HTTP unless TLS is switched on). Under "Cribl HTTP event API" set a
   path, such as /infisical: the address then ends in /infisical/_bulk (the default is /cribl/_bulk). Under Auth tokens add one: a source
   without a token takes events from anyone.
2. Cribl.Cloud: https://<group>.<workspace>.<organization>.cribl.cloud:10080/cribl/_bulk, with group and workspace usually default and main.
3. Paste into the configuration, under "streams":

   "cribl": {
     "provider": "cribl",
     "url": "https://cribl.example.com:10080/infisical/_bulk",
     "token": "env:CRIBL_TOKEN"
   }

   "authScheme": "raw"     where the bare token is wanted; the default is Bearer, as the product's stream sends it
   "mode": "single"        one event a request, for streams made before batching
   "batch": { "maxBytes": 4000000 }     on current releases; old ones take 2 MB, the default is 1,000,000. Without it an event of more than
                           2 MB goes to the dead-letter file, since an old release would refuse it
   "eventTime": false      leave out _time, as the live stream does; events then stand at the time of their refill
4. Cribl has no search of its own stream, and a 2xx says only that a worker took the bytes: switch on a persistent queue for the source before a
   large refill. For gaps and --verify ask the store behind it:

   "inventory": { "command": ["./held-ids.sh"] }       see auditctl stream guide custom
   or --inventory FILE with the ids it holds.
5. auditctl stream test cribl              (address and token by an empty request; add --send for one marked event)
   auditctl backfill --all --from 24h --stream cribl --dry-run

Live events carry the time of their arrival in _time, refilled ones their own: key searches on id and createdAt. Cribl does not remove repeats, and
several workers do not keep the order.
Leave refilled events out of a route (with --mark):   !(auditctl && auditctl.run)
`
