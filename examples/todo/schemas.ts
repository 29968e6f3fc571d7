import AjvCompiler from '@fastify/ajv-compiler'
import { Type, type Static, type TSchema } from '@fastify/type-provider-typebox'
import type { FastifySchemaCompiler } from 'fastify'

// Without the character NUL, which JSON allows and the database refuses.
export const text = (example: string, maxLength: number, pattern = '^[^\\u0000]*$') =>
  Type.String({ examples: [example], maxLength, pattern })
export const name = (example: string, maxLength: number) => text(example, maxLength, '^\\s*[^\\s\\u0000][^\\u0000]*$')

export const orNull = <T extends TSchema>(type: T) => Type.Union([type, Type.Null()])

const time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' })
export const Task = Type.Object({
  id: Type.Integer(),
  title: Type.String(),
  description: orNull(Type.String()),
  completed: Type.Boolean(),
  created_at: time,
  updated_at: time
}, { description: 'The task' })
export type TaskRow = Static<typeof Task>

const error = { statusCode: Type.Integer(), code: Type.String(), error: Type.String(), message: Type.String() }
export const fault = (description: string) => Type.Object(error, { description })
export const databaseFault = fault('The database does not answer: try again after `Retry-After` seconds')

const compiler = (coerceTypes: boolean | 'array') =>
  AjvCompiler()({}, { customOptions: { coerceTypes, strictNumbers: false, keywords: ['x-examples'] } })
const compilers = { exact: compiler(false), converting: compiler('array') }

/** Values in a URL are text and are converted to the type of the schema. JSON has types, so nothing is converted. */
export const validatorCompiler: FastifySchemaCompiler<object> = (route) =>
  compilers[route.httpPart === 'body' ? 'exact' : 'converting'](route)
