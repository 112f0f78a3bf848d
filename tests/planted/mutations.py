"""The bugs that are planted: small, plausible, and each would cost somebody money or trust."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutation:
    """In a file, one text for another. `means` tells what is wrong then."""

    means: str
    path: str
    old: str
    new: str

    def applied_to(self, tree: Path) -> str:
        """Return the file's text with the bug in it. Raises CanNotPlant."""
        text = (tree / self.path).read_text()
        found = text.count(self.old)
        if found != 1:
            raise CanNotPlant(
                f"{self.means!r}: {self.old!r} is {found} times in {self.path}, not once"
            )
        return text.replace(self.old, self.new)


class CanNotPlant(Exception):
    """The code has changed, so that a mutation does not fit any more: write it anew."""


MUTATIONS = [
    Mutation(
        "writers of one brand do not take turns",
        "budgets/services.py",
        ".select_for_update(no_key=True, skip_locked=skip_locked)",
        "",
    ),
    Mutation(
        "a limit that is just reached is not spent",
        "budgets/terms.py",
        "spent * 100 >= limit",
        "spent * 100 > limit",
    ),
    Mutation(
        "a known key with other content is taken for a duplicate",
        "budgets/ledger.py",
        "not _same_content(lines[index], stands)",
        "False",
    ),
    Mutation(
        "today is UTC's day, not the brand's",
        "platform/kernel/local_time.py",
        "return self.local(now).date()",
        "return now.date()",
    ),
    Mutation(
        "the rules release what a person paused",
        "campaigns/judgement.py",
        "for h in campaign.holds if h.is_rule",
        "for h in campaign.holds",
    ),
    Mutation(
        "a person's ACTIVE closes the rules' holds, and history with them",
        "campaigns/services/campaigns.py",
        "campaign_id__in=ids, origin__in=[PAUSE, WAITS], released_at=None",
        "campaign_id__in=ids, released_at=None",
    ),
    Mutation(
        "spend in a group does not count for the brand",
        "campaigns/crossings.py",
        "for up in (parent, root) if up",
        "for up in (parent,) if up",
    ),
    Mutation(
        "a campaign that leaves a group leaves its spend there",
        "budgets/services.py",
        "totals.move_totals(leaf.id, sign=-1)",
        "pass",
    ),
    Mutation(
        "a monthly charge counts in its day too",
        "budgets/ledger.py",
        "if line.spend_type == SpendType.DAILY else",
        "if line.spend_type else",
    ),
    Mutation(
        "a day ends at UTC's midnight",
        "platform/kernel/local_time.py",
        "return self.day_start(self.today(now) + timedelta(days=1))",
        "return _day_start('UTC', self.today(now) + timedelta(days=1))",
    ),
    Mutation(
        "an older statement replaces a newer one",
        "budgets/restating.py",
        "statement.as_of > known.as_of",
        "statement.as_of != known.as_of",
    ),
    Mutation(
        "a restatement corrects what a person had corrected already",
        "budgets/statements.py",
        "WHERE %s IN (e.source, e.corrects_source)",
        "WHERE %s = e.source",
    ),
    Mutation(
        "of a complete statement it is forgotten what it never listed",
        "budgets/restating.py",
        "(known is None or known.as_of < complete.as_of)",
        "(known is not None and known.as_of < complete.as_of)",
    ),
    Mutation(
        "a shared limit that turned is seen by the campaign that spent alone",
        "campaigns/crossings.py",
        "if not shared.isdisjoint(s.chain)}",
        "if shared is None}",
    ),
    Mutation(
        "a spend can be reversed twice",
        "campaigns/services/spend.py",
        "if known is not None:",
        "if known is not None and by is None:",
    ),
    Mutation(
        "spend of UTC's today is taken where the brand's is still yesterday",
        "campaigns/services/spend.py",
        "if spend.spend_date > today:",
        "if spend.spend_date > max(today, now.date()):",
    ),
    Mutation(
        "a window is open at its end",
        "dayparting/windows.py",
        "return self.is_always_open or bisect_right(self.edges, at) % 2 == 1",
        "return self.is_always_open or bisect_right(self.edges, at) % 2 == 1 or at in self.edges",
    ),
    Mutation(
        "tomorrow's limit binds today, where it is nearer than today's",
        "budgets/queries.py",
        "(v.from_day <= d.day) DESC, abs(v.from_day - d.day)) AS place",
        "abs(v.from_day - d.day)) AS place",
    ),
    Mutation(
        "the status of what is released is not written beside its holds",
        "campaigns/judgement.py",
        "return self.status != self.campaign.status",
        "return self.status != self.campaign.status and not self.release",
    ),
    Mutation(
        "a known key is added to the totals again",
        "budgets/ledger.py",
        "_add_up([line for line in lines if line.id in stored], chains)",
        "_add_up(lines, chains)",
    ),
]
