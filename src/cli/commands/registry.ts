import type { ExitCode } from '../../core/errors.ts'
import type { Invocation } from '../invocation.ts'
import type { Runtime } from '../runtime.ts'

/** What every command file exports: flags and checks, then the operation; gives the exit code. */
export type CommandRunner = (invocation: Invocation, runtime: Runtime) => Promise<ExitCode>

/** Command names and their files, imported on demand: help and version load none of them. */
export const RUNNERS: Readonly<Record<string, () => Promise<CommandRunner>>> = {
  query: () => import('./query.ts').then((file) => file.queryCommand),
  export: () => import('./export.ts').then((file) => file.exportCommand),
  verify: () => import('./verify.ts').then((file) => file.verifyCommand),
  trail: () => import('./trail.ts').then((file) => file.trailCommand),
  summary: () => import('./summary.ts').then((file) => file.summaryCommand),
  gaps: () => import('./gaps.ts').then((file) => file.gapsCommand),
  backfill: () => import('./backfill.ts').then((file) => file.backfillCommand),
  runs: () => import('./runs.ts').then((file) => file.runsCommand),
  source: () => import('./source.ts').then((file) => file.sourceCommand),
  stream: () => import('./stream.ts').then((file) => file.streamCommand),
  config: () => import('./config.ts').then((file) => file.configCommand),
  sandbox: () => import('./sandbox.ts').then((file) => file.sandboxCommand),
  demo: () => import('./demo.ts').then((file) => file.demoCommand),
  status: () => import('./status.ts').then((file) => file.statusCommand),
  doctor: () => import('./doctor.ts').then((file) => file.doctorCommand),
  browse: () => import('./browse.ts').then((file) => file.browseCommand),
  'remote-export': () => import('./remote-export.ts').then((file) => file.remoteExportCommand),
  completion: () => import('./completion.ts').then((file) => file.completionCommand),
}
