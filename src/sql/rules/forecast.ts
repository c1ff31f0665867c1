/** The shape of a forecast, for whoever weighs and shows it. */
export * from './model/forecast.ts'
