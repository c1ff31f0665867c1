/** The whole style of the page: nothing is loaded, both colour schemes, paper and a telephone's width. */
export const pageStyle = `
:root{color-scheme:light dark;--ink:#1d2129;--soft:#5a6270;--line:#dfe3e8;--ground:#fff;--panel:#f6f7f9;--good:#0f6b3d;--bad:#a3241c;--wait:#8a5a00;--accent:#2b4acb}
@media (prefers-color-scheme:dark){:root{--ink:#e7e9ee;--soft:#a2a9b5;--line:#333944;--ground:#14161a;--panel:#1c1f25;--good:#59c68d;--bad:#ff8f85;--wait:#e5b65a;--accent:#9db0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;overflow-wrap:anywhere}
main{max-width:62rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 .6rem;letter-spacing:-.01em}
h2{font-size:1.2rem;margin:2.6rem 0 .8rem;padding-bottom:.35rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.6rem 0 .4rem}
p{margin:.4rem 0}
code,pre,.code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
a{color:var(--accent)}
.kind{color:var(--soft);font-size:.85rem;letter-spacing:.04em;text-transform:uppercase}
.soft{color:var(--soft)}
.small{font-size:.88rem}
.state{display:inline-block;padding:.12rem .7rem;border-radius:1rem;border:1.5px solid currentColor;font-weight:600;font-size:.95rem}
.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}
.lead{font-size:1.15rem;margin:.7rem 0 0}
.note{border-left:4px solid var(--wait);background:var(--panel);padding:.6rem .9rem;margin:1rem 0}
.note.bad{border-color:var(--bad);color:inherit}
.facts{display:grid;grid-template-columns:repeat(3,1fr);gap:1px;background:var(--line);border:1px solid var(--line);border-radius:.6rem;overflow:hidden;margin:1.6rem 0 0}
.facts>div{background:var(--panel);padding:.8rem 1rem}
.facts dt,.pairs dt{color:var(--soft);font-size:.85rem}
.facts dd{margin:.1rem 0 0;font-weight:600}
.facts dd .soft{display:block;font-weight:400;font-size:.88rem}
.pairs{display:grid;grid-template-columns:minmax(8rem,12rem) 1fr;gap:.35rem 1.2rem;margin:.6rem 0}
.pairs dd{margin:0}
nav{margin:1.4rem 0 0;font-size:.92rem}
nav a{margin-right:1rem;white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:.93rem}
th{text-align:left;color:var(--soft);font-weight:500;font-size:.85rem}
th,td{padding:.45rem .8rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th:last-child{width:50%}
th.time:first-child{width:13rem}
th,td{overflow-wrap:break-word}
td code{overflow-wrap:anywhere}
.time{white-space:nowrap;font-variant-numeric:tabular-nums}
pre,.code{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.7rem .9rem}
pre,ol.code li{white-space:pre-wrap}
ol.code{padding-left:3.6rem}
ol.code li{padding-left:.6rem}
ol.code li::marker{color:var(--soft);font-size:.85em}
details>summary{cursor:pointer;color:var(--accent);margin:.6rem 0}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.88rem}
@media (max-width:40rem){
main{padding:1.4rem 1rem 3rem}
h1{font-size:1.5rem}
.facts{grid-template-columns:1fr}
.pairs{grid-template-columns:1fr;gap:0}.pairs dd{margin-bottom:.6rem}
thead{display:none}
table,tbody,tr,td{display:block}
tr{border-bottom:1px solid var(--line);padding:.5rem 0}
td{border:0;padding:.1rem 0;text-align:left!important}
td[data-label]::before{content:attr(data-label) " ";color:var(--soft);font-size:.85rem}
ol.code{padding-left:2.6rem}
}
@media print{
:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--ground:#fff;--panel:#fff;--good:#0f6b3d;--bad:#a3241c;--wait:#8a5a00;--accent:#000}
main{max-width:none;padding:0}
nav,.screen{display:none}
h2,h3{break-after:avoid}tr,li,.facts>div{break-inside:avoid}
body{font-size:11pt}
}
`
