import { attackTable } from './table.ts'

process.stdout.write(attackTable())
