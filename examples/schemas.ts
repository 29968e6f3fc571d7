import { Type } from '@fastify/type-provider-typebox'

/** Text that the database can hold: it refuses the character NUL, which JSON can say. */
export const text = (options: { minLength?: number, maxLength: number, examples?: string[] }) => Type.String({ ...options, pattern: '^[^\\u0000]*$' })

/** An error in Fastify's own form. */
export const fault = (description: string) => Type.Object({ statusCode: Type.Integer(), code: Type.String(), error: Type.String(), message: Type.String() }, { description })

export const databaseFault = fault('The database cannot be reached: try again after `Retry-After` seconds')
