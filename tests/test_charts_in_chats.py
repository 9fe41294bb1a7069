"""A chart and a file asked for in the running service, in both chats, and on the command line."""

from __future__ import annotations

import json

from tests.process import run
from tests.test_three_chats import Chats, chats, road

__all__ = ["chats", "road"]


def test_a_chart_and_its_file_reach_both_chats_with_the_banks_figures(chats: Chats):
    with chats.run() as service:
        service.wait_for_log("serving")
        chats.telegram.say(7, "/chart KZT 30d", language="ru")
        photo = chats.telegram.wait_for(7)[0]
        chats.telegram.press(7, "CSV", language="ru")
        document = chats.telegram.wait_for(7, 2)[1]
        reply = chats.slack.command("/ca", "chart KZT 30d")
        service.stop()
    assert photo.photo and photo.file and photo.file[1].startswith(b"\x89PNG")
    assert "475,09" in photo.text and "Национальный банк Казахстана" in photo.text
    assert document.file and document.file[1].decode().splitlines()[-1] == "2026-11-23,USD,KZT,475.09,official,nbk"
    assert "475.09" in reply.text
    assert chats.slack.shared[0].content.startswith(b"\x89PNG")
    assert chats.telegram.rejected == [] and chats.slack.rejected == []


def test_on_the_command_line_a_chart_is_data_and_a_file_is_its_lines(chats: Chats):
    asked = run(chats.world.folder, "ask", "/chart KZT 30d", "--json", env=chats.world.env)
    (picture,) = [block for block in json.loads(asked.stdout)["message"]["blocks"] if block["type"] == "picture"]
    assert [figure for _, figure in picture["points"]] == ["478.77", "475.09"]
    assert "475.09" in picture["text"]
    lines = run(chats.world.folder, "ask", "/export rates KZT 30d", env=chats.world.env).stdout
    assert lines.startswith("date,base,quote,rate,kind,source\n")
    assert lines.endswith("\n2026-11-23,USD,KZT,475.09,official,nbk\n")
