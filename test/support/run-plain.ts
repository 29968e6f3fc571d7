import { execFile, type ExecFileOptions } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * Runs a program and returns what it printed. Without NODE_OPTIONS, with which the test runner puts loaders and
 * coverage into every process, whatever environment a test gives it.
 */
export async function runPlain (file: string, args: readonly string[], options: ExecFileOptions = {}): Promise<string> {
  const { stdout } = await promisify(execFile)('env', ['-u', 'NODE_OPTIONS', file, ...args], options)
  return String(stdout)
}
