use strict;
use warnings;

use Crypt::JWT qw(decode_jwt);
use Encode qw(encode_utf8);
use JSON;

my $given = decode_json(do { local $/; <STDIN> });
my @verdicts = map {
    my ($token, $key) = @$_;
    my $claims = eval { decode_jwt(token => $token, key => encode_utf8($key), accepted_alg => 'HS256') };
    my $error = $@;
    die $error if $error && $error !~ /^JW[ST]: /;
    $error ? { refused => $error =~ s/ at \S+ line.*//sr } : { claims => $claims };
} @$given;
print JSON->new->ascii->encode(\@verdicts), "\n";
