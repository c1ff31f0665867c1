import { everyFault } from './named.ts'

everyFault(1)
