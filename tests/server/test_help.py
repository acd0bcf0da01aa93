"""help.* and langpack.*: what a client asks when it starts (C10)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server.rpc import RpcFault
from radiogram.server.world import Address
from radiogram.tl import api
from radiogram.tl.build import registry

from .stage import NOON, MakeStage, Stage


def test_get_config(make_stage: MakeStage) -> None:
    stage = make_stage(message_length_max=100, test_mode=True)
    stage.world.addresses[2] = Address("127.0.0.1", 20443)
    config = stage.call(stage.ann, api.help.GetConfig())
    assert (config.this_dc, config.test_mode, config.message_length_max) == (2, True, 100)
    assert (config.date, config.expires) == (NOON, NOON + 3600)
    (option,) = config.dc_options
    assert (option.id, option.ip_address, option.port) == (2, "127.0.0.1", 20443)
    assert (config.edit_time_limit, config.chat_size_max) == (172800, 200)


def test_get_nearest_dc(stage: Stage) -> None:
    found = stage.call(0, api.help.GetNearestDc())
    assert (found.this_dc, found.nearest_dc, len(found.country)) == (2, 2, 2)


def test_get_app_config(stage: Stage) -> None:
    found = stage.call(0, api.help.GetAppConfig(hash=0))
    values = {item.key: item.value.value for item in found.config.value}
    assert values["upload_max_fileparts_default"] == 4000
    assert values["dialog_filters_enabled"] is True
    same = stage.call(0, api.help.GetAppConfig(hash=found.hash))
    assert same == api.help.AppConfigNotModified()


def test_get_countries_list(stage: Stage) -> None:
    found = stage.call(0, api.help.GetCountriesList(lang_code="en", hash=0))
    assert {country.iso2 for country in found.countries} >= {"DE", "US"}
    same = stage.call(0, api.help.GetCountriesList(lang_code="en", hash=found.hash))
    assert same == api.help.CountriesListNotModified()


AT_START: list[tuple[Any, Any]] = [
    (api.help.GetTermsOfServiceUpdate(), api.help.TermsOfServiceUpdateEmpty),
    (api.help.AcceptTermsOfService(id=api.DataJSON(data="{}")), bool),
    (api.help.GetPromoData(), api.help.PromoDataEmpty),
    (api.help.HidePromoData(peer=api.InputPeerSelf()), bool),
    (api.help.DismissSuggestion(peer=api.InputPeerEmpty(), suggestion="x"), bool),
    (api.help.GetAppUpdate(source=""), api.help.NoAppUpdate),
    (api.help.GetInviteText(), api.help.InviteText),
    (api.help.GetSupport(), api.help.Support),
    (api.help.GetSupportName(), api.help.SupportName),
    (api.help.SaveAppLog(events=[]), bool),
    (api.help.GetRecentMeUrls(referer=""), api.help.RecentMeUrls),
    (api.help.GetDeepLinkInfo(path="x"), api.help.DeepLinkInfoEmpty),
    (api.help.GetPeerColors(hash=0), api.help.PeerColors),
    (api.help.GetPeerProfileColors(hash=0), api.help.PeerColors),
    (api.help.GetTimezonesList(hash=0), api.help.TimezonesList),
    (api.help.GetPremiumPromo(), api.help.PremiumPromo),
    (api.help.GetCdnConfig(), api.CdnConfig),
]


@pytest.mark.parametrize(
    ("layer", "request_", "expected"),
    [
        pytest.param(layer, request, expected, id=f"{layer}-{request.TL_NAME}")
        for layer in (158, 198, api.LAYER)
        for request, expected in AT_START
        if registry(layer).get(request.TL_NAME) is type(request)
    ],
)
def test_what_is_asked_at_the_start_is_answered(
    stage: Stage, layer: int, request_: Any, expected: Any
) -> None:
    found = stage.world.call(stage.ann, request_, layer=layer)
    assert getattr(type(found), "TL_NAME", type(found)) == getattr(expected, "TL_NAME", expected)


# ------------------------------------------------------------------ langpack.*


def test_language_packs_are_empty(stage: Stage) -> None:
    pack = stage.call(0, api.langpack.GetLangPack(lang_pack="tdesktop", lang_code="en"))
    assert (pack.strings, pack.from_version, pack.lang_code) == ([], 0, "en")
    difference = stage.call(
        0,
        api.langpack.GetDifference(lang_pack="tdesktop", lang_code="en", from_version=pack.version),
    )
    assert (difference.from_version, difference.version) == (pack.version, pack.version)
    strings = api.langpack.GetStrings(lang_pack="tdesktop", lang_code="pt-br", keys=["a"])
    assert stage.call(0, strings) == [api.LangPackStringDeleted(key="a")]
    (language,) = stage.call(0, api.langpack.GetLanguages(lang_pack="tdesktop"))
    english = api.langpack.GetLanguage(lang_pack="tdesktop", lang_code="en")
    assert stage.call(0, english) == language


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (api.langpack.GetLangPack(lang_pack="x", lang_code="en"), "LANG_PACK_INVALID"),
        (api.langpack.GetLangPack(lang_pack="", lang_code="en"), "LANG_PACK_INVALID"),
        (api.langpack.GetLangPack(lang_pack="ios", lang_code="?"), "LANG_CODE_NOT_SUPPORTED"),
        (api.langpack.GetLanguage(lang_pack="ios", lang_code="de"), "LANG_CODE_NOT_SUPPORTED"),
        (api.langpack.GetLanguages(lang_pack="nope"), "LANG_PACK_INVALID"),
    ],
    ids=["unknown", "none", "no code", "other language", "list"],
)
def test_language_packs_that_are_none(stage: Stage, request_: Any, error: str) -> None:
    with pytest.raises(RpcFault) as caught:
        stage.call(0, request_)
    assert (caught.value.code, caught.value.message) == (400, error)
