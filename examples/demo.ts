import type { Auth } from './auth.js'

const password = 'demo-password-1234'

export interface DemoUser { id: string, email: string, password: string }
export interface DemoUsers { alice: DemoUser, bob: DemoUser }

/** The two of the walk, who sign up at the first start. */
export async function demoUsers (auth: Auth): Promise<DemoUsers> {
  const { internalAdapter } = await auth.$context
  const ensure = async (name: string): Promise<DemoUser> => {
    const email = `${name.toLowerCase()}@example.com`
    const found = await internalAdapter.findUserByEmail(email)
    const user = found?.user ?? (await auth.api.signUpEmail({ body: { name, email, password } })).user
    return { id: user.id, email, password }
  }
  return { alice: await ensure('Alice'), bob: await ensure('Bob') }
}

/** What a newcomer can paste into a shell, all at once or line by line. No quote stands in the prose: zsh knows no comments unless told. */
export function walk (origin: string, { alice, bob }: DemoUsers): string {
  const url = (path: string) => `'${origin}${path}'`
  const json = (body: object) => `-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`
  const token = '-H "Authorization: Bearer $TOKEN"'
  return `# 200, alice signs in, her session goes to the file .cookies:
curl -i -c .cookies ${json({ email: alice.email, password: alice.password })} ${url('/api/auth/sign-in/email')}

# Her token, good for 15 minutes:
TOKEN=$(curl -s -b .cookies ${url('/api/auth/token')} | node -p 'JSON.parse(fs.readFileSync(0)).token')

# 200, who she is:
curl -i ${token} ${url('/api/me')}

# 201, she adds a task:
curl -i ${token} ${json({ title: 'Buy milk' })} ${url(`/api/${alice.id}/tasks`)}

# 200, her tasks:
curl -i ${token} ${url(`/api/${alice.id}/tasks`)}

# 403, the tasks of bob with her token:
curl -i ${token} ${url(`/api/${bob.id}/tasks`)}

# 401, her tasks without a token:
curl -i ${url(`/api/${alice.id}/tasks`)}

# 200, the health, for anybody:
curl -i ${url('/health')}`
}
