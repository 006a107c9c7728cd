import { faultPlan } from '../../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../../src/sandbox/registry.ts'

// `node object-server.ts SERVICE EVENTS [FAULT…]`: a strict store in a process of its own, its settings on the first line.
const [service = 's3', events = '0', ...faults] = process.argv.slice(2)
const start = await SANDBOXES[service]?.()
if (start === undefined) throw new Error(`${service} has no sandbox`)
const server = await start({
  events: Number(events),
  seed: 1,
  generation: '2026',
  recent: false,
  faults: faultPlan(faults),
  now: Date.now,
})
const { streams, sources } = server.config
process.stdout.write(`${JSON.stringify(streams?.['lake'] ?? sources?.['ci'])}\n`)
process.on('SIGTERM', () => process.exit(0))
