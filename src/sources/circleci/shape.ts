import type { EventShape } from '../../core/source.ts'
import { aliases, foldAction, KNOWN_ACTIONS } from './actions.ts'
import {
  actionOf,
  cleanName,
  FIELDS,
  ipOf,
  namedAt,
  outcomeOf,
  partOf,
  projectOf,
  speaksOf,
  textAt,
  toCommon,
  variableTitles,
} from './read-record.ts'
import { asStreamed } from './streamed.ts'

/** CircleCI's audit events, as they stand in the bucket of a stream and, cell by cell, in its CSV downloads. */
export const circleciShape: EventShape = {
  type: 'circleci',
  reader: {
    type: 'circleci',
    actor(record) {
      const { name, id } = namedAt(record, 'actor')
      return cleanName(name) ?? id ?? undefined
    },
    action: actionOf,
    target(record) {
      const { name, id } = namedAt(record, 'target')
      return name ?? id ?? undefined
    },
  },
  columns: FIELDS,
  tableColumns: ['occurred_at', 'action', 'actor.name', 'target.name', 'success', 'request.ip_address'],
  filters: {
    event: (record, value) => foldAction(actionOf(record)) === foldAction(value),
    actor(record, value) {
      const { id, name } = namedAt(record, 'actor')
      return id === value || name === value || cleanName(name) === value
    },
    'actor-type': (record, value) => namedAt(record, 'actor').type === value,
    project(record, value) {
      const { id, name } = projectOf(record)
      return id === value || name === value
    },
    key: (record, value) => variableTitles(record).includes(value),
    entity: speaksOf,
    ip: (record, value) => ipOf(record) === value,
    'request-id'(record, value) {
      const request = partOf(record, 'request')
      return textAt(request, 'id') === value || textAt(request, 'client_trace_id') === value
    },
    outcome: (record, value) => outcomeOf(record) === value,
  },
  idKey: 'id',
  timeKey: 'occurred_at',
  aliases,
  asStreamed,
  toCommon,
  knownEventTypes: KNOWN_ACTIONS,
}
