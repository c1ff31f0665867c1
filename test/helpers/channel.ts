/** Where every request of the tests is made, unless a test says otherwise. */
export const CHANNEL = 'C0DEPLOYS'
