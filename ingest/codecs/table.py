"""The codecs that a profile can name."""

from collections.abc import Mapping

from ingest.codecs import decentlab, dingtek, milesight
from ingest.codecs.shape import Codec

CODECS: Mapping[str, Codec] = {
    "decentlab-dl-ctd10": decentlab.dl_ctd10,
    "decentlab-dl-ntu": decentlab.dl_ntu,
    "decentlab-dl-optod": decentlab.dl_optod,
    "decentlab-dl-pheht": decentlab.dl_pheht,
    "decentlab-dl-pr36ctd": decentlab.dl_pr36ctd(8192, 1024),
    "dingtek-df702": dingtek.df70x,
    "dingtek-df703": dingtek.df70x,
    "milesight-am300": milesight.am300,
    "milesight-em400-mud": milesight.em400,
    "milesight-em400-tld": milesight.em400,
    "milesight-em400-udl": milesight.em400,
    "milesight-em500-co2": milesight.em500_co2,
    "milesight-em500-pt100": milesight.em500_pt100,
    "milesight-em500-swl": milesight.em500_swl,
    "milesight-em500-udl": milesight.em500_udl,
}
