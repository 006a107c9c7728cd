import type { SandboxOptions, SandboxService } from './service.ts'

/** Strict servers and where they live: one line each, started on demand. */
export const SANDBOXES: Readonly<
  Record<string, () => Promise<(options: SandboxOptions) => Promise<SandboxService>>>
> = {
  infisical: () => import('./infisical/index.ts').then((file) => file.startInfisical),
  scaivault: () => import('./scaivault/index.ts').then((file) => file.startScaivault),
  infrakitchen: () => import('./infrakitchen/index.ts').then((file) => file.startInfrakitchen),
  splunk: () => import('./splunk/index.ts').then((file) => file.startSplunk),
  datadog: () => import('./datadog/index.ts').then((file) => file.startDatadog),
  azure: () => import('./azure/index.ts').then((file) => file.startAzure),
  cribl: () => import('./cribl/index.ts').then((file) => file.startCribl),
  'sumo-logic': () => import('./sumo-logic/index.ts').then((file) => file.startSumoLogic),
  custom: () => import('./custom/index.ts').then((file) => file.startCustom),
  'better-stack': () => import('./better-stack/index.ts').then((file) => file.startBetterStack),
  xsiam: () => import('./xsiam/index.ts').then((file) => file.startXsiam),
  circleci: () => import('./circleci/index.ts').then((file) => file.startCircleci),
  s3: () => import('./s3/index.ts').then((file) => file.startS3),
  gcs: () => import('./gcs/index.ts').then((file) => file.startGcs),
  'azure-blob': () => import('./azure-blob/index.ts').then((file) => file.startAzureBlob),
}
