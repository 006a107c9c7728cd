import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { completionScript } from '../completion-scripts.ts'
import type { Invocation } from '../invocation.ts'
import type { Runtime } from '../runtime.ts'

/** `auditctl completion bash|zsh|fish`: the script, made from the command tree. */
export async function completionCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const [shell] = invocation.args
  if (shell !== 'bash' && shell !== 'zsh' && shell !== 'fish') {
    throw new UserError(`there is no completion for ${JSON.stringify(shell)}`, { hint: 'bash, zsh or fish' })
  }
  await runtime.output.write(completionScript(shell))
  return EXIT.done
}
