import t from 'tap'
import { mediaType } from '../../lib/options/media-type.js'

t.test('all spellings of a media type become the same', async (t) => {
  const rows: Array<[typ: string, one: string]> = [
    ['JWT', 'jwt'],
    ['application/jwt', 'jwt'],
    ['Application/AT+JWT', 'at+jwt'],
    ['at+jwt', 'at+jwt'],
    ['text/jwt', 'text/jwt'],
    ['application/x/jwt', 'application/x/jwt'],
    ['application/application/jwt', 'application/application/jwt'],
    ['application/', 'application/'],
    [' application/jwt', ' application/jwt'],
    ['', '']
  ]
  for (const [typ, one] of rows) t.equal(mediaType(typ), one)
})
