# What UPS::Nut reads of a server and does there: PORT.
use strict;
use warnings;
use UPS::Nut;
# (GetCmdDesc of this module reads no answer of any server, and LoadPercent asks for output.power.percent alone.)

my %at = (HOST => '127.0.0.1', PORT => $ARGV[0], TIMEOUT => 10);
my $ups = UPS::Nut->new(%at, NAME => 'rack', USERNAME => 'admin', PASSWORD => 'secret') or die "no connection";
print 'status ', $ups->Status, "\n";
print 'volts ', $ups->LineVoltage, "\n";
my $list = $ups->ListUPS;
print "ups $_: $list->{$_}\n" for sort keys %$list;
my $variables = $ups->ListVar;
print 'var ', $variables->{'ups.status'}, ' ', $variables->{'input.voltage'}, ' ', 20 < keys %$variables, "\n";
print 'rw ', exists $ups->ListRW->{'ups.delay.start'}, "\n";
print 'cmd ', join(' ', grep { $_ eq 'beeper.toggle' } @{$ups->ListCmd}), "\n";
print 'desc ', $ups->GetDesc('ups.status'), "\n";
print 'type ', $ups->GetType('ups.delay.start'), "\n";
print 'set ', $ups->Set('ups.delay.start', '240'), "\n";
print 'run ', $ups->InstCmd('beeper.toggle'), "\n";
for my $wrong (['GetVar', 'no.such'], ['InstCmd', 'no.such'], ['Set', 'ups.status', 'OB']) {
    my ($what, @words) = @$wrong;
    print "no error\n" if defined $ups->$what(@words);
    print 'error ', $ups->Error, "\n";
}
tie my %tied, 'UPS::Nut', %at, NAME => 'rack', USERNAME => 'admin', PASSWORD => 'secret';
print 'tied ', $tied{'ups.status'}, "\n";
my $odd = UPS::Nut->new(%at, NAME => 'odd', USERNAME => 'first', PASSWORD => 'one');
print 'enum ', join(' ', @{$odd->ListEnum('input.sensitivity')}), "\n";
my $attic = UPS::Nut->new(%at, NAME => 'attic');
print 'login ', $attic->Login('first', 'one') // $attic->Error, "\n";
my $primary = UPS::Nut->new(%at, NAME => 'attic', USERNAME => 'first', PASSWORD => 'one');
print 'master ', $primary->Master, "\n";
print 'fsd ', $primary->FSD, ' ', $primary->Status, "\n";
$ups->Logout;
