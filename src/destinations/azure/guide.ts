import { SAMPLES, sampleRow } from './samples.ts'

/** For the named type of source; Infisical's where there is none of that name. */
export function azureGuide(sourceType = 'infisical'): string {
  const asked = SAMPLES[sourceType] ?? SAMPLES['infisical']
  if (asked === undefined) throw new TypeError('there is a sample for Infisical')
  const { product, table, timeColumn } = asked
  const isLive = timeColumn === 'createdAt'
  return `Azure Monitor Logs and Microsoft Sentinel (Logs Ingestion API)

1. Entra: App registrations > New registration; Certificates & secrets > New client secret. Note tenant id, client id and secret.
2. Log Analytics workspace > Tables > Create > New custom log (DCR based), table ${table}, with a data collection endpoint. Sample to paste:

${wrapped(JSON.stringify([sampleRow(asked)]))}

${isLive ? LIVE_COLUMNS : ownColumns(product)}
3. Data collection rule > Access control (IAM): role Monitoring Metrics Publisher for the app. It takes up to 30 minutes; 403 until then.
4. For gaps and --verify: Log Analytics workspace > Access control (IAM): role Log Analytics Reader for the app; note the workspace id.
5. Paste into the configuration, under "streams":

   "sentinel": {
     "provider": "azure",
     "tenantId": "…", "clientId": "…", "clientSecret": "env:AZ_SECRET",
     "endpoint": "https://<name>.<region>-1.ingest.monitor.azure.com",
     "ruleId": "dcr-…",
     "table": "${table}",
     "timeColumn": "${timeColumn}",${isLive ? '' : '\n     "idField": "EventId",'}
     "workspaceId": "…"
   }

   Leave "timeColumn" out where the table has no such column; "idField": "EventId" where the id is in another column than id. Without a client
   secret (managed identity, workload identity, certificate, az login): npm install @azure/identity, and "credential".
6. auditctl stream test sentinel      (token, role, rule and columns; add --send for one row)
   auditctl gaps --stream sentinel --from 24h

The first rows of a new table take 5 to 15 minutes: set "grace": "30m" for the first refill. Azure answers 204 to everything it can parse, then
drops properties that the rule does not declare and cuts fields over 64 KB; auditctl refuses the latter before sending.
Old events (over 47 hours): with "timeColumn" they are sent without TimeGenerated, so that they stand at the hour of the refill and that column keeps
the true time; without it they are skipped, unless --late restamp accepts the loss ("late": "restamp" in the stream then, so that gaps finds
such rows by their ids). Sentinel rules look at TimeGenerated and may fire.
Look for what is held:   ${table}_CL | where ${timeColumn} >= ago(1d) | project ${isLive ? 'id' : 'EventId'}, ${timeColumn}
`
}

const LIVE_COLUMNS = `   Infisical's own guide leaves createdAt out. Without it a refill older than two days loses its true time, because Azure overwrites
   TimeGenerated. For a table that exists: add the column createdAt (datetime) to the table and to the stream declaration of the rule, and
   "extend EventId = tostring(id)" to its transformation if id is not kept (id is a reserved name). auditctl stream test says what is there.
   The columns are those of Infisical's events: for another source see auditctl stream guide azure --source NAME.`

function ownColumns(product: string): string {
  return `   These are the members of ${product}'s events, and EventTime and EventId, which auditctl adds: Azure overwrites a TimeGenerated older than two
   days, and id is a reserved name. A member without a column is dropped, and answered 204 all the same: auditctl stream test says which.`
}

/** JSON on lines that fit, broken between members. */
function wrapped(json: string): string {
  const lines: string[] = []
  let line = '  '
  for (const part of json.split(/(?<=,)(?=")/)) {
    if (line.length + part.length > 140) {
      lines.push(line)
      line = '    '
    }
    line += lines.length === 0 && line === '  ' ? ` ${part}` : line === '    ' ? ` ${part}` : part
  }
  return [...lines, line].join('\n')
}
