import AjvCompiler from '@fastify/ajv-compiler'
import { Type } from '@fastify/type-provider-typebox'
import type { FastifySchemaCompiler } from 'fastify'

interface TextOptions { maxLength: number, examples?: string[] }

/** Text that the database can hold: it refuses the character NUL, which JSON can say. */
export const text = (options: TextOptions) => Type.String({ ...options, pattern: '^[^\\u0000]*$' })

/** The same, and not blank. */
export const name = (options: TextOptions) => Type.String({ ...options, minLength: 1, pattern: '^\\s*[^\\s\\u0000][^\\u0000]*$' })

/** An error in Fastify's own form. */
export const fault = (description: string) => Type.Object({ statusCode: Type.Integer(), code: Type.String(), error: Type.String(), message: Type.String() }, { description })

export const databaseFault = fault('The database does not answer: try again after `Retry-After` seconds')

const compilerWith = (coerceTypes: boolean | 'array') => AjvCompiler()({}, { customOptions: { coerceTypes } })
const exact = compilerWith(false)
const converting = compilerWith('array') // as Fastify does

/** What stands in a URL is text, and is converted to what the schema says; JSON tells text, numbers and null apart. */
export const validatorCompiler: FastifySchemaCompiler<object> = (route) => (route.httpPart === 'body' ? exact : converting)(route)
