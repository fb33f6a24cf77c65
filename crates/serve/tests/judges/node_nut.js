// What node-nut reads of a server and does there: PORT.
const Nut = require(process.env.JUDGES + '/node_modules/node-nut');

const nut = new Nut(Number(process.argv[2]), '127.0.0.1');
const wait = (what) => new Promise((done) => what((answer, error) => done([answer, error])));
const plain = (list) => JSON.stringify(Object.assign({}, list));

nut.on('error', (error) => { console.log('error ' + error); process.exit(1); });
nut.on('close', () => console.log('closed'));
nut.on('ready', async () => {
    console.log('netver', (await wait((done) => nut.netVer(done)))[0].trim());
    console.log('ver', (await wait((done) => nut.ver(done)))[0].trim());
    console.log('ups', plain((await wait((done) => nut.GetUPSList(done)))[0]));
    const [variables] = await wait((done) => nut.GetUPSVars('rack', done));
    console.log('var', variables['ups.status'], variables['input.voltage'], Object.keys(variables).length > 20);
    const [commands] = await wait((done) => nut.GetUPSCommands('rack', done));
    console.log('cmd', commands.includes('beeper.toggle'));
    const [writable] = await wait((done) => nut.GetRWVars('rack', done));
    console.log('rw', 'ups.delay.start' in writable);
    console.log('enum', (await wait((done) => nut.GetEnumsForVar('odd', 'input.sensitivity', done)))[0].join(' '));
    console.log('range', JSON.stringify((await wait((done) => nut.GetRangesForVar('odd', 'input.transfer.low', done)))[0]));
    console.log('type', (await wait((done) => nut.GetVarType('rack', 'ups.delay.start', done)))[0]);
    console.log('desc', (await wait((done) => nut.GetVarDescription('rack', 'ups.status', done)))[0]);
    console.log('cmddesc', (await wait((done) => nut.GetCommandDescription('rack', 'beeper.toggle', done)))[0]);
    console.log('gone', (await wait((done) => nut.GetUPSVars('gone', done)))[1]);
    console.log('none', (await wait((done) => nut.GetUPSVars('none', done)))[1]);
    console.log('user', (await wait((done) => nut.SetUsername('first', done)))[0]);
    console.log('password', (await wait((done) => nut.SetPassword('one', done)))[0]);
    console.log('denied', (await wait((done) => nut.RunUPSCommand('rack', 'beeper.toggle', done)))[0]);
    console.log('master', (await wait((done) => nut.Master('attic', done)))[0]);
    console.log('fsd', (await wait((done) => nut.FSD('attic', done)))[0]);
    nut.close();
    const other = new Nut(Number(process.argv[2]), '127.0.0.1');
    other.on('ready', async () => {
        await wait((done) => other.SetUsername('admin', done));
        await wait((done) => other.SetPassword('secret', done));
        // the value is not quoted
        console.log('set', (await wait((done) => other.SetRWVar('rack', 'ups.delay.start', '240', done)))[0]);
        console.log('run', (await wait((done) => other.RunUPSCommand('rack', 'beeper.toggle', done)))[0]);
        other.close();
    });
    other.start();
});
nut.start();
