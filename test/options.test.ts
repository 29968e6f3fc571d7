import { testRoom } from './support/room.js'

await testRoom('options')
