import { Error as errorsOnly, logger, parse, View } from 'vega'
import { compile } from 'vega-lite'

/** Bars of throughput against the server without authentication, as SVG. */
export async function draw ({ rows, versions, date }) {
  const whoOf = (name) => {
    if (name.startsWith('fastify-user-scope')) return 'this plugin'
    return name.startsWith('Fastify without auth') ? 'no authentication' : 'others'
  }
  const values = rows.map(({ name, group, toBase, cpuAboveBase }) => {
    const more = cpuAboveBase >= 0.05 ? `, +${cpuAboveBase.toFixed(cpuAboveBase < 10 ? 1 : 0)} µs` : ''
    return { name, group, toBase, who: whoOf(name), label: `${(toBase * 100).toFixed(0)} %${more}` }
  })
  const x = {
    field: 'toBase',
    type: 'quantitative',
    axis: { format: '%', title: null, grid: true },
    scale: { domainMin: 0 }
  }
  const y = { field: 'name', type: 'nominal', sort: null, title: null, axis: { labelLimit: 0, labelFontSize: 12 } }
  const { spec } = compile({
    background: 'white',
    padding: 10,
    title: {
      text: 'Requests per second, against Fastify without authentication',
      subtitle: 'and the CPU time that a request takes more; ' +
        `${date}, Node ${versions.node}, Fastify ${versions.fastify}`,
      anchor: 'start'
    },
    data: { values },
    facet: {
      row: {
        field: 'group',
        type: 'nominal',
        sort: null,
        title: null,
        header: { labelAngle: 0, labelAnchor: 'start', labelOrient: 'top', labelFontWeight: 'bold', labelFontSize: 12 }
      }
    },
    spec: {
      width: 420,
      height: { step: 20 },
      encoding: { x, y },
      layer: [
        {
          mark: 'bar',
          encoding: {
            color: {
              field: 'who',
              type: 'nominal',
              title: null,
              scale: {
                domain: ['this plugin', 'others', 'no authentication'],
                range: ['#0b7285', '#adb5bd', '#495057']
              },
              legend: { orient: 'bottom' }
            }
          }
        },
        { mark: { type: 'text', align: 'left', dx: 4 }, encoding: { text: { field: 'label' } } }
      ]
    },
    resolve: { scale: { y: 'independent' } }
  }, { logger: logger(errorsOnly) }) // it warns of the scales that are meant to differ
  return `${await new View(parse(spec), { renderer: 'none' }).toSVG()}\n`
}
