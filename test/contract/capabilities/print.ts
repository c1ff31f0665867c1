import { versionsPage } from './table.ts'

process.stdout.write(versionsPage())
