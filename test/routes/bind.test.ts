import t from 'tap'
import { fitsClaim } from '../../lib/routes/bind.js'

t.test('a claim fits if it equals the parameter, or is a list that contains it', async (t) => {
  const nested = Object.assign(Object.create({ inherited: 'acme' }) as object, { id: 'acme', list: ['acme', 'b'] })
  const rows: Array<[claims: unknown, path: string[], fits: boolean, param?: unknown]> = [
    [{ org: 'acme' }, ['org'], true],
    [{ org: ['x', 'acme'] }, ['org'], true],
    [{ org: ['x', 7, 'acme'] }, ['org'], true],
    [{ o: nested }, ['o', 'id'], true],
    [{ o: nested }, ['o', 'list'], true],
    [{ o: { p: { q: 'acme' } } }, ['o', 'p', 'q'], true],
    [{}, ['org'], false],
    [{ org: 'Acme' }, ['org'], false],
    [{ org: 'acme ' }, ['org'], false],
    [{ org: [] }, ['org'], false],
    [{ org: [['acme']] }, ['org'], false],
    [{ org: { acme: true } }, ['org'], false],
    [{ org: null }, ['org'], false],
    [{ org: 7 }, ['org'], false, '7'],
    [{ org: [7] }, ['org'], false, '7'],
    [{ org: true }, ['org'], false, 'true'],
    [{ org: '' }, ['org'], false, ''],
    [{ org: [''] }, ['org'], false, ''],
    [{ org: undefined }, ['org'], false, undefined],
    [{}, ['org'], false, undefined],
    [{ org: 7 }, ['org'], false, 7],
    [{ org: ['acme'] }, ['org'], false, ['acme']],
    // Own members of JSON objects only.
    [{ o: nested }, ['o', 'inherited'], false],
    [{ o: 'acme' }, ['o', 'id'], false],
    [{ o: ['acme'] }, ['o', '0'], false],
    [{ o: ['acme'] }, ['o', 'length'], false, '1'],
    [{ o: 'acme' }, ['o', 'length'], false, '4'],
    [{ o: null }, ['o', 'id'], false],
    [{}, ['constructor', 'name'], false, 'Object'],
    [{}, ['__proto__'], false],
    [{}, ['o', 'p', 'q'], false],
    [null, ['org'], false]
  ]
  for (const [claims, path, fits, param = 'acme'] of rows) {
    t.equal(fitsClaim(param, claims, path), fits,
      `${JSON.stringify(param)} in ${JSON.stringify(claims)} at ${path.join('.')}`)
  }
  t.equal(fitsClaim(undefined, { org: undefined }, ['org']), false)
  t.equal(fitsClaim(undefined, {}, ['org']), false)
})
