import type { JsonObject } from '../../core/event.ts'

/** What a table for a source's events is made from in the portal, which reads the types of the columns off the values. */
export type TableSample = {
  readonly product: string
  /** As in the guide; any other will do. */
  readonly table: string
  readonly timeColumn: string
  /** Top-level members of the source's events. */
  readonly sample: JsonObject
}

const UUID = '1b6f0c52-7d0e-4a56-9a53-0a6f5d7f1e11'
const TIME = '2026-01-01T00:00:00.000Z'

/** By type of source. Infisical's is the sample of its own guide, with the time that the guide forgot. */
export const SAMPLES: Readonly<Record<string, TableSample>> = {
  infisical: {
    product: 'Infisical',
    table: 'InfisicalLogs',
    timeColumn: 'createdAt',
    sample: {
      createdAt: TIME,
      id: UUID,
      actor: 'user',
      actorMetadata: {},
      ipAddress: '198.51.100.1',
      userAgent: 'cli',
      userAgentType: 'cli',
      eventType: 'get-secret',
      eventMetadata: {},
      projectName: 'p',
      orgId: 'o',
      projectId: 'p',
    },
  },
  scaivault: {
    product: 'ScaiVault',
    table: 'ScaiVaultLogs',
    timeColumn: 'EventTime',
    sample: {
      id: 'log_9f31c2',
      timestamp: TIME,
      action: 'read',
      identity_type: 'service_account',
      identity_id: 'sa:app',
      secret_path: 'environments/production/db',
      source_ip: '198.51.100.1',
      user_agent: 'cli',
      success: true,
      duration_ms: 9,
      request_id: 'req_5b7a10',
      extra_data: {},
      session_id: 's',
      http_method: 'GET',
      http_status: 200,
      error_code: 'access_denied',
    },
  },
  infrakitchen: {
    product: 'InfraKitchen',
    table: 'InfraKitchenLogs',
    timeColumn: 'EventTime',
    sample: {
      id: UUID,
      created_at: TIME,
      action: 'update',
      model: 'resource',
      entity_id: UUID,
      entity_data: {},
      user_id: UUID,
      creator: {},
      revision_number: 1,
    },
  },
  circleci: {
    product: 'CircleCI',
    table: 'CircleCILogs',
    timeColumn: 'EventTime',
    sample: {
      id: UUID,
      version: 1,
      action: 'project.env_var.create',
      occurred_at: TIME,
      success: true,
      actor: {},
      target: {},
      scope: {},
      organization: {},
      account: {},
      payload: {},
      metadata: {},
      request: {},
      common_fields: {},
    },
  },
}

/** The row to paste: what every refill needs, the event's own members, and room for the mark. */
export function sampleRow({ timeColumn, sample }: TableSample): JsonObject {
  return { TimeGenerated: TIME, [timeColumn]: TIME, EventId: UUID, ...sample, auditctl: {} }
}
