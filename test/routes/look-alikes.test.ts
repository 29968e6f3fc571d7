import t from 'tap'
import { misspeltOwner, possibleOwner } from '../../lib/routes/look-alikes.js'
import { parametersOf } from '../../lib/routes/url.js'

/** The names that look like the owner's parameter. */
const alike = (param: string, names: string[]) =>
  names.filter((name) => misspeltOwner(parametersOf(`/x/:${name}`), param) === name)

t.test('names that look like the owner\'s parameter', async (t) => {
  const rows: Array<[param: string, alike: string[], others: string[]]> = [
    [
      'user_id',
      [
        'userId', 'userid', 'USER_ID', 'user-id', 'uid', 'users_id', 'usr_id', 'uesr_id', 'user', 'username',
        'user_uuid', 'userUUID', 'user_guid', 'owner', 'owner_id'
      ],
      [
        'task_id', 'order_id', 'usage_id', 'id', 'uuid', 'guid', 'account_id', 'author', 'userprofile', 'ui',
        'us_id_er', 'owner_id_of'
      ]
    ],
    ['my_id', ['myId', 'my-id', 'mid', 'owner', 'uid', 'UID'], ['me_id', 'myids', 'id', 'uid_number']],
    [
      'account_id',
      ['accountId', 'account', 'account_uuid', 'aid', 'acount_id', 'user_id'],
      ['discount_id', 'accounting']
    ],
    ['theBigUserId', ['tbuid', 'TBUID'], ['tbUserId', 'tid']],
    ['area51Id', ['aid', 'area51', 'area51_uuid'], ['area_id', '51Id']],
    ['tenant', ['Tenant', 'tenant_id', 'tenants', 'tennant'], ['tenancy', 'ten']],
    ['id', ['Id', 'uid', 'u_id'], ['task_id', 'guid', 'uuid', 'u', 'uname']]
  ]
  for (const [param, names, others] of rows) {
    t.same(alike(param, names), names, param)
    t.same(alike(param, others), [], param)
  }
})

t.test('parameters that may be the owner by another name', async (t) => {
  const possible = (url: string) => possibleOwner(parametersOf(url))
  const rows: Array<[url: string, name: string | undefined]> = [
    ['/x/:account_id', 'account_id'], ['/x/:authorId', 'authorId'], ['/x/:member_uuid', 'member_uuid'],
    ['/users/:id', 'id'], ['/users/:ID', 'ID'],
    ['/user/:id', 'id'], ['/Members/:id/x', 'id'], ['/a/accounts/:id.json', 'id'],
    ['/x/:account', undefined], ['/x/:task_id', undefined], ['/tasks/:id', undefined],
    ['/users/x/:id', undefined], ['/myusers/:id', undefined], ['/users/:name', undefined],
    ['/users/:task_id', undefined]
  ]
  for (const [url, name] of rows) t.equal(possible(url), name, url)
})
