import { main } from './cli/main.ts'

/** argv → exit code. The binary calls it; started directly it runs itself. */
export { main }

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
