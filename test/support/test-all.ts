/**
 * `npm test`: every check, a line for each, and in detail only what failed. Those of one group run at once, and the
 * first group in which one fails is the last. The last line has the totals of the tests.
 */
import { spawn } from 'node:child_process'

const groups: Array<Array<[name: string, command: string]>> = [
  [['build', 'npm run -s build'], ['lint', 'npm run -s lint']],
  [
    ['package', 'npm run -s --ignore-scripts test:package'], // it would build once more
    ['runner', 'tap build'], // with the plugins of .taprc, which it would not use for its first run otherwise
    ['typecheck', 'npm run -s typecheck']
  ],
  [['tests', 'tap run --reporter=tap']]
]

/** The output of a command, and whether it succeeded. */
async function run (command: string): Promise<{ output: string, ok: boolean }> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  }
  const code = await new Promise((resolve) => { child.once('close', resolve) })
  return { output, ok: code === 0 }
}

/** Of TAP output the assertions that failed, each with its diagnosis, and what stands between the tests. */
function failuresIn (tap: string): string {
  const kept: string[] = []
  let failing = false
  for (const line of tap.split('\n')) {
    if (/^ *(not )?ok \d/.test(line)) failing = line.trimStart().startsWith('not ok')
    if (failing || !/^ *(ok \d|1\.\.\d|# |\{|\}|---|\.\.\.|$)/.test(line)) kept.push(line)
    if (/^ *\.\.\.$/.test(line)) failing = false
  }
  return kept.join('\n')
}

async function check (name: string, command: string): Promise<boolean> {
  const start = performance.now()
  const { output, ok } = await run(command)
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(10)} ${((performance.now() - start) / 1000).toFixed(0)} s`)
  const isTests = name === 'tests'
  if (!ok) console.log(isTests ? failuresIn(output) : output)
  if (isTests) console.log(output.split('\n').findLast((line) => line.startsWith('# { total:')) ?? '# no totals')
  return ok
}

for (const group of groups) {
  const results = await Promise.all(group.map(([name, command]) => check(name, command)))
  if (results.includes(false)) process.exit(1)
}
