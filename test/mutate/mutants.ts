import ts from 'typescript'

/** A change of a module that its tests should notice. */
export interface Mutant {
  line: number
  /** The line that the change starts in, without its indent. */
  code: string
  /** What became of what: "=== becomes !==". */
  change: string
  /** The changed module, without types. */
  javascript: string
}

const operators = new Map<ts.SyntaxKind, string[]>([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.LessThanToken, ['<=', '>=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.PlusToken, ['-']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.AsteriskToken, ['/']],
  [ts.SyntaxKind.SlashToken, ['*']],
  [ts.SyntaxKind.PercentToken, ['*']],
  [ts.SyntaxKind.PlusEqualsToken, ['-=']],
  [ts.SyntaxKind.MinusEqualsToken, ['+=']]
])

/** A call of one becomes a call of the other. */
const pairs = [['some', 'every'], ['startsWith', 'endsWith'], ['min', 'max']]
const opposites = new Map(pairs.flatMap(([a = '', b = '']) => (
  [[a, b], [b, a]]
)))

/** A call of these becomes what they were called on. */
const dropped = [
  'trim', 'toLowerCase', 'toUpperCase', 'slice', 'filter', 'sort', 'reverse', 'flat', 'replace', 'replaceAll'
]

/** Their operands are left out, one at a time. */
const logical = [
  ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken
]

/** A node and what may stand in its place, with what to say where that is not the text itself. */
type Change = [node: ts.Node, replacements: Array<string | [replacement: string, says: string]>]

const text = (node: ts.Node) => node.getText()

/** `false` is what `undefined` is, to all who only ask; that it is not `true` is a change of its own. */
const saysNothing = (node: ts.Node) => ['false', 'undefined'].includes(text(node))

function changesOf (node: ts.Node): Change[] {
  if (ts.isBinaryExpression(node)) return changesOfOperator(node)
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return [[node.expression, ['true', 'false']]]
  if (ts.isConditionalExpression(node)) return [[node, [text(node.whenTrue), text(node.whenFalse)]]]
  if (ts.isReturnStatement(node) && node.expression) {
    return saysNothing(node.expression) ? [] : [[node, ['return']]]
  }
  if (removable.some((is) => is(node))) return [[node, [';']]]
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
    return saysNothing(node.body) ? [] : [[node.body, ['undefined']]]
  }
  if (ts.isPrefixUnaryExpression(node)) {
    return [[node, [node.operator === ts.SyntaxKind.PlusPlusToken ? `--${text(node.operand)}` : text(node.operand)]]]
  }
  if (ts.isPostfixUnaryExpression(node)) return [[node, [`${text(node.operand)}--`]]]
  if (ts.isArrayLiteralExpression(node)) return [[node, withoutOne(node.elements, (rest) => `[${rest}]`)]]
  if (ts.isObjectLiteralExpression(node)) return [[node, withoutOne(node.properties, (rest) => `{ ${rest} }`)]]
  if (ts.isPropertyAccessExpression(node) && node.questionDotToken) return [[node.questionDotToken, ['.']]]
  if (ts.isElementAccessExpression(node) && node.questionDotToken) return [[node.questionDotToken, ['']]]
  if (ts.isCallExpression(node)) return changesOfCall(node)
  return changesOfLiteral(node)
}

const removable = [
  ts.isExpressionStatement, ts.isThrowStatement, ts.isForStatement, ts.isForOfStatement, ts.isReturnStatement,
  ts.isBreakOrContinueStatement
]

function changesOfOperator (node: ts.BinaryExpression): Change[] {
  const { left, right, operatorToken: { kind } } = node
  if (logical.includes(kind)) return [[node, [text(left), text(right)]]]
  const isTest = kind === ts.SyntaxKind.InKeyword || kind === ts.SyntaxKind.InstanceOfKeyword
  return isTest ? [[node, [`!(${text(node)})`]]] : [[node.operatorToken, operators.get(kind) ?? []]]
}

function withoutOne (members: readonly ts.Node[], around: (rest: string) => string): Change[1] {
  return members.map((member) => (
    [around(members.filter((other) => other !== member).map(text).join(', ')), `without ${text(member)}`]
  ))
}

function changesOfCall (node: ts.CallExpression): Change[] {
  if (node.questionDotToken) return [[node.questionDotToken, ['']]]
  if (!ts.isPropertyAccessExpression(node.expression)) return []
  const { name, expression } = node.expression
  if (dropped.includes(name.text)) return [[node, [[text(expression), `without .${name.text}()`]]]]
  const opposite = opposites.get(name.text)
  return opposite ? [[name, [opposite]]] : []
}

function changesOfLiteral (node: ts.Node): Change[] {
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [[node, ['false']]]
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [[node, ['true']]]
  if (ts.isNumericLiteral(node)) return [[node, [`${Number(node.text) + 1}`]]]
  if (ts.isTemplateExpression(node)) return [[node, ["''"]]]
  if (ts.isRegularExpressionLiteral(node)) return [[node, changesOfPattern(node.text)]]
  if (!ts.isStringLiteralLike(node)) return []
  const isName = ts.isPropertyAssignment(node.parent) && node.parent.name === node
  return isName ? [] : [[node, [node.text === '' ? "'mutant'" : "''"]]]
}

/** Without an anchor, a flag or a quantifier, and as one that nothing fits. */
function changesOfPattern (literal: string): string[] {
  const end = literal.lastIndexOf('/')
  const [pattern, flags] = [literal.slice(1, end), literal.slice(end + 1)]
  const without = (index: number) => `/${pattern.slice(0, index)}${pattern.slice(index + 1)}/${flags}`
  const marks = [...pattern.matchAll(/^\^|(?<!\\)\$$|(?<=[\w\])])[*+]/g)]
  return [
    ...marks.map(({ index }) => without(index)),
    ...[...flags].map((flag) => `/${pattern}/${flags.replace(flag, '')}`),
    `/(?!)/${flags}`
  ]
}

/** Types, imports and re-exports are not the business of a test at run time. */
const skipped = [
  ts.isTypeNode, ts.isTypeAliasDeclaration, ts.isInterfaceDeclaration, ts.isModuleDeclaration, ts.isImportDeclaration,
  ts.isExportDeclaration
]

/** All mutants of a module, in the order of its lines. */
export function mutantsOf (source: string): Mutant[] {
  const file = ts.createSourceFile('module.ts', source, ts.ScriptTarget.Latest, true)
  const unchanged = transpile(source)
  const lines = source.split('\n')
  const mutants: Mutant[] = []
  const visit = (node: ts.Node): void => {
    if (skipped.some((is) => is(node))) return
    for (const [changed, replacements] of changesOf(node)) {
      for (const replacement of replacements) {
        const [by, says = `${text(changed)} becomes ${by}`] = [replacement].flat()
        const javascript = transpile(`${source.slice(0, changed.getStart())}${by}${source.slice(changed.getEnd())}`)
        if (javascript === undefined || javascript === unchanged) continue
        const { line } = file.getLineAndCharacterOfPosition(changed.getStart())
        mutants.push({ line: line + 1, code: lines[line]?.trim() ?? '', change: says.replace(/\s+/g, ' '), javascript })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return mutants
}

/** Undefined where it is no longer a program. */
export function transpile (source: string): string | undefined {
  const { outputText, diagnostics } = ts.transpileModule(source, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  })
  return diagnostics?.length ? undefined : outputText
}
