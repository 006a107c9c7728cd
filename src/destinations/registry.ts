import type { DestinationDefinition } from './define-destination.ts'

/** Providers and where they live: one line each, loaded when a command needs one. */
export const DESTINATIONS: Readonly<Record<string, () => Promise<DestinationDefinition>>> = {
  splunk: () => import('./splunk/index.ts').then((file) => file.splunk as unknown as DestinationDefinition),
  datadog: () =>
    import('./datadog/index.ts').then((file) => file.datadog as unknown as DestinationDefinition),
  azure: () => import('./azure/index.ts').then((file) => file.azure as unknown as DestinationDefinition),
  cribl: () => import('./cribl/index.ts').then((file) => file.cribl as unknown as DestinationDefinition),
  'sumo-logic': () =>
    import('./sumo-logic/index.ts').then((file) => file.sumoLogic as unknown as DestinationDefinition),
  custom: () => import('./custom/index.ts').then((file) => file.custom as unknown as DestinationDefinition),
  'better-stack': () =>
    import('./better-stack/index.ts').then((file) => file.betterStack as unknown as DestinationDefinition),
  xsiam: () => import('./xsiam/index.ts').then((file) => file.xsiam as unknown as DestinationDefinition),
  s3: () => import('./s3.ts').then((file) => file.s3 as unknown as DestinationDefinition),
  gcs: () => import('./gcs.ts').then((file) => file.gcs as unknown as DestinationDefinition),
  'azure-blob': () =>
    import('./azure-blob.ts').then((file) => file.azureBlob as unknown as DestinationDefinition),
}
