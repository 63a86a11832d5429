// polars_run: one task by nodejs-polars, lazily.   node polars_run.js MODULES TASK IN OUT [STATIONS]
const [modules, task, from, to, stations] = process.argv.slice(2);
const pl = require(modules + '/nodejs-polars');
const col = pl.col;

const NAMES = ['id', 'date', 'time', 'station', 'crime', 'province', 'lat', 'lon', 'incidents', 'amount', 'description', 'status'];
const asText = (path) => pl.scanCSV(path, {inferSchemaLength: 0});
// only what is computed with is a number; the rest would have to be formatted again
const forSums = (path) => {
  const types = NAMES.map((name) => [name, name === 'id' || name === 'incidents' ? pl.Int64 : pl.String]);
  return pl.scanCSV(path, {schema: Object.fromEntries(types)});
};
const sorted = (path) => forSums(path).sort({by: ['incidents', 'id'], descending: [true, false]});

// a separator and a quote that no text has: a line is one cell
const lines = (path) => pl.scanCSV(path, {hasHeader: false, sep: '\x01', quoteChar: '\x02', inferSchemaLength: 0});

const tasks = {
  csv: () => asText(from),
  filter: () => asText(from).filter(col('province').eq(pl.lit('GP'))).select('id', 'date', 'station', 'incidents'),
  group: () => forSums(from).groupBy(['province', 'crime'])
    .agg(col('incidents').count().alias('n'), col('incidents').sum().alias('total')),
  top: () => sorted(from).head(5),
  sort: () => sorted(from),
  join: () => asText(from).join(asText(stations).select('station', 'code', 'district', 'population'), {on: 'station', how: 'inner'}),
  words: () => lines(from).select(col('column_1').str.toLowerCase().str.replaceAll('[^a-z]+', ' ').str.split(' ').alias('content'))
    .explode('content').filter(col('content').neq(pl.lit(''))).groupBy('content').agg(col('content').count().alias('n'))
    .sort({by: ['n', 'content'], descending: [true, false]}).head(20),
  copy: () => pl.scanJson(from, {inferSchemaLength: 100}),
};

tasks[task]().sinkCSV(to, {includeHeader: true}).collect().catch((error) => {
  console.error('polars_run: ' + error);
  process.exit(1);
});
