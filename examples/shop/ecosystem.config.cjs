// pm2 start ecosystem.config.cjs, with SHOP_NAME, PORT and DATABASE_URL in the environment
module.exports = {
  apps: [
    {
      name: process.env.SHOP_NAME ?? 'shop',
      script: 'server.mjs',
      cwd: __dirname,
      wait_ready: true,
      listen_timeout: 5_000,
      kill_timeout: 3_000,
      max_restarts: 5,
      min_uptime: 1_000,
      env: { PORT: process.env.PORT, DATABASE_URL: process.env.DATABASE_URL },
    },
  ],
}
