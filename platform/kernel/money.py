"""Currencies and amounts. Amounts are `Decimal`, stored with six digits, never float."""

from decimal import ROUND_HALF_EVEN, Decimal

AMOUNT_DIGITS_MAX = 18
AMOUNT_DECIMALS_MAX = 6
SUM_DIGITS_MAX = 26
# The largest amount that one row may carry; dong and rupiah need that many digits.
AMOUNT_MAX = Decimal("99999999999")

# ISO 4217 (list one): the active codes of national currencies, and the minor units that are not 2.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
    GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
    KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
    NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
    VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()
)
_MINOR_UNITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}


def canonical(amount: Decimal) -> Decimal:
    """Return an amount that is stored (see `AMOUNT_MAX`) without the ways of writing it: 1E+2 is
    100, -0 and 0E-20000 are 0, and 1.5000000000 is 1.5.
    """
    # Adding 0 makes a positive zero, and gives a positive exponent its digits.
    return amount.normalize() + 0


def minor_units(currency: str) -> int:
    """Return how many decimals the currency has (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD."""
    return _MINOR_UNITS.get(currency, 2)


def quantize(amount: Decimal, currency: str) -> Decimal:
    """Round an amount to the currency's minor units, half to even, for showing it."""
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_HALF_EVEN)


def plain(amount: Decimal, currency: str) -> str:
    """Write an amount for machines: the minor units, and more digits where it has them."""
    units = minor_units(currency)
    trimmed = canonical(amount)
    exponent = trimmed.as_tuple().exponent
    assert isinstance(exponent, int), "an amount is a finite number"
    return f"{trimmed:.{max(units, -exponent)}f}"


def show(amount: Decimal, currency: str) -> str:
    """Write an amount for people, without its currency: `1,234.50`."""
    return f"{quantize(amount, currency):,f}"
