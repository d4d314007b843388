// A server of fastify's that reads each body and answers as many bytes as a model would, without a model: what HTTP takes of the machine beside the client.
//   node scripts/bench/serve-echo.mjs PORT
import fastify from 'fastify';

const answer = Buffer.alloc(190, 'a');
const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.get('/v2/models/t4/ready', async () => ({}));
app.post('/v2/models/t4/infer', async (_request, reply) => reply.type('application/octet-stream').send(answer));
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
