import { constants } from 'node:fs'
import { access, readFile, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorCode } from '../../config/paths.ts'
import type { Check } from '../../core/check.ts'

/** `statfs` types that matter to a database that must outlive a restart. @source Linux, include/uapi/linux/magic.h */
const TYPES: Readonly<Record<number, readonly [name: string, kind: 'memory' | 'layer' | 'network']>> = {
  16914836: ['tmpfs', 'memory'],
  2240043254: ['ramfs', 'memory'],
  2035054128: ['overlay', 'layer'],
  1635083891: ['aufs', 'layer'],
  26985: ['NFS', 'network'],
  4283649346: ['CIFS', 'network'],
  4266872130: ['SMB', 'network'],
  16914839: ['9p', 'network'],
  12805120: ['Ceph', 'network'],
}

const HINTS = {
  memory:
    'at the next restart every run and every proven window is forgotten: set AUDITCTL_STATE_DIR to a folder on a disk',
  layer: 'a new container starts from nothing: mount a volume there, or set AUDITCTL_STATE_DIR to one',
  network: 'its locks do not hold between machines: use a local disk, and run auditctl on one machine only',
  emptyDir: 'a new pod starts from nothing: use a persistentVolumeClaim',
} as const

const LEAST_FREE_BYTES = 256 * 1024 * 1024

/** What tests put in the place of the machine. */
export type Disk = {
  /** The type as `statfs` numbers it, and the free bytes. */
  statfs(folder: string): Promise<{ readonly type: number; readonly freeBytes: number }>
  /** Linux: the text of /proc/self/mountinfo; empty elsewhere. */
  mounts(): Promise<string>
}

export const DISK: Disk = {
  async statfs(folder) {
    const { type, bavail, bsize } = await statfs(folder)
    return { type: process.platform === 'linux' ? type : 0, freeBytes: bavail * bsize }
  },
  mounts: () => readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
}

/** Whether the state folder is private, can be written, has room, and will be there after a restart. Creates nothing. */
export async function stateChecks(folder: string, disk: Disk = DISK): Promise<readonly Check[]> {
  const check = 'state folder'
  const place = await nearestFolder(folder)
  const checks: Check[] = []
  try {
    if (!(await stat(place)).isDirectory())
      throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
    await access(place, constants.W_OK | constants.X_OK)
    const isThere = place === folder
    checks.push({ check, state: 'ok', message: isThere ? folder : `${folder} will be made by the first run` })
    if (isThere) checks.push(...(await modeCheck(folder)))
  } catch (cause) {
    const hint = 'set AUDITCTL_STATE_DIR to a folder that this account can write'
    return [{ check, state: 'failure', message: `${folder} cannot be written (${errorCode(cause)})`, hint }]
  }
  const { type, freeBytes } = await disk.statfs(place)
  const [name, kind] = TYPES[type >>> 0] ?? []
  const isEmptyDir = isOnEmptyDir(place, await disk.mounts())
  if (isEmptyDir) {
    const message = `${folder} is on a Kubernetes emptyDir`
    checks.push({ check: `${check}: disk`, state: 'warning', message, hint: HINTS.emptyDir })
  } else if (name !== undefined && kind !== undefined) {
    const message = `${folder} is on ${name}`
    checks.push({ check: `${check}: disk`, state: 'warning', message, hint: HINTS[kind] })
  }
  const megabytes = Math.floor(freeBytes / 1024 / 1024).toLocaleString('en-US')
  if (freeBytes < LEAST_FREE_BYTES) {
    const hint =
      'a run spools what it is going to send: make room, or forget old runs with auditctl runs prune'
    checks.push({ check: `${check}: room`, state: 'warning', message: `${megabytes} MiB are free`, hint })
  } else checks.push({ check: `${check}: room`, state: 'ok', message: `${megabytes} MiB are free` })
  return checks
}

async function modeCheck(folder: string): Promise<Check[]> {
  const { mode } = await stat(folder)
  if (process.platform === 'win32' || (mode & 0o077) === 0) return []
  return [
    {
      check: 'state folder: mode',
      state: 'warning',
      message: `${folder} can be entered by others (${(mode & 0o777).toString(8)}), and dead letters hold events`,
      hint: `chmod 700 ${folder}`,
    },
  ]
}

async function nearestFolder(folder: string): Promise<string> {
  for (let place = folder; ; place = dirname(place)) {
    const isThere = await stat(place).then(
      () => true,
      () => false,
    )
    if (isThere || dirname(place) === place) return place
  }
}

/** The kubelet keeps an emptyDir below a folder of that name, which the mount's root tells. @source proc(5), mountinfo, field 4 */
function isOnEmptyDir(folder: string, mounts: string): boolean {
  let best = { point: '', root: '' }
  for (const line of mounts.split('\n')) {
    const [, , , root = '', point = ''] = line.split(' ')
    const isAbove = point === '/' || folder === point || folder.startsWith(join(point, '/'))
    if (point !== '' && isAbove && point.length >= best.point.length) best = { point, root }
  }
  return best.root.includes('kubernetes.io~empty-dir')
}
