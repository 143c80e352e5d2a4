"""RDS for PostgreSQL: which versions and classes there are, and what may not be changed. moto takes any version and any class, lets
storage shrink and versions go back, and knows neither DescribeDBEngineVersions nor the orderable options of PostgreSQL.

On AWS minor versions come and go: one that is withdrawn makes no new database, and those that have it are upgraded. A database with
automatic minor upgrades is upgraded in its maintenance window, and its storage grows by itself up to its maximum. Nothing here
happens by itself; `change` is how a test lets it happen.
"""

from typing import Any

from moto.core.responses import ActionResult, PaginatedResult
from moto.rds.exceptions import InvalidParameterCombination
from moto.rds.models import DBInstance, RDSBackend, rds_backends
from moto.rds.responses import RDSResponse

from .replacing import replaces
from .zones import offers, zones_of

ENGINE = "postgres"

MINORS = {"14": range(12, 23), "15": range(7, 18), "16": range(3, 14), "17": range(1, 10), "18": range(1, 4)}
"""Minor versions by major version. Source: PostgresEngineVersion of aws-cdk-lib 2.276.0, whose list is RDS's own; read 2026-11-30."""

WITHDRAWN = {
    *(f"14.{minor}" for minor in range(12, 18)),
    *(f"15.{minor}" for minor in range(7, 13)),
    *(f"16.{minor}" for minor in range(3, 9)),
    *(f"17.{minor}" for minor in range(1, 5)),
}
"""Versions that make no new database. Source: AWS Health, "RDS for PostgreSQL minor versions 14.14 to 17.4 reach the end of standard
support", of May 2026: not created since 2026-05-01. Those below were withdrawn earlier."""

DEFAULTS = {"14": "14.20", "15": "15.15", "16": "16.11", "17": "17.7", "18": "18.1"}
"""What a major version alone stands for. Source: the same, which names what databases are upgraded to; 18.1 is the first of 18 that
is no preview ("Release notes for Amazon RDS for PostgreSQL", read 2026-11-30)."""

DEFAULT_MAJOR = "17"

FAMILIES = ("t3", "t4g", "m5", "m6g", "m6i", "m7g", "m7i", "m8g", "r5", "r6g", "r6i", "r7g", "r7i", "r8g", "x2g")
"""Families of classes for PostgreSQL. Source: "Supported DB engines for DB instance classes", Amazon RDS User Guide, read 2026-11-30."""

SIZES = ("micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")

STORAGE_TYPES = ("gp2", "gp3", "io1", "io2")

_withdrawn = set(WITHDRAWN)
_defaults = dict(DEFAULTS)
_missing: dict[str, set[str] | None] = {}
"""Classes that are not offered, by the zones' last letters; None for everywhere."""


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _versions() -> list[str]:
    return [f"{major}.{minor}" for major, minors in MINORS.items() for minor in minors]


def _offered(version: str | None) -> str:
    """The full version that a new database gets. A version that isn't there and one that is withdrawn are refused alike."""
    wanted = version or DEFAULT_MAJOR
    full = _defaults.get(wanted, wanted)
    if full not in _versions() or full in _withdrawn:
        raise InvalidParameterCombination(f"Cannot find version {wanted} for {ENGINE}")
    return full


def _zones_of(account_id: str, region: str, cls: str) -> list[str]:
    """The zones in which the class can be ordered: where EC2 offers its type of the same name."""
    family, _, size = cls.removeprefix("db.").partition(".")
    if not cls.startswith("db.") or family not in FAMILIES or size not in SIZES:
        return []
    missing = _missing.get(cls, set())
    zones = [zone for zone in zones_of(account_id, region) if offers(region, zone.zone_id, cls.removeprefix("db."))]
    return [] if missing is None else [zone.name for zone in zones if zone.name[-1] not in missing]


def _require_class(backend: RDSBackend, cls: str, version: str) -> None:
    if _zones_of(backend.account_id, backend.region_name, cls):
        return
    raise InvalidParameterCombination(
        "RDS does not support creating a DB instance with the following combination: "
        f"DBInstanceClass={cls}, Engine={ENGINE}, EngineVersion={version}, LicenseModel=postgresql-license. "
        "For supported combinations of instance class and database engine version, see the documentation."
    )


moto_create = RDSBackend.create_db_instance


@replaces(RDSBackend)
def create_db_instance(self: RDSBackend, db_kwargs: Any) -> DBInstance:
    """CreateDBInstance, with a version that is offered in full, and a class that can be ordered."""
    if db_kwargs.get("engine") == ENGINE and db_kwargs.get("db_cluster_identifier") is None:
        db_kwargs["engine_version"] = _offered(db_kwargs.get("engine_version"))
        _require_class(self, db_kwargs["db_instance_class"], db_kwargs["engine_version"])
    return moto_create(self, db_kwargs)


moto_modify = RDSBackend.modify_db_instance


@replaces(RDSBackend)
def modify_db_instance(self: RDSBackend, db_instance_identifier: str, db_kwargs: Any) -> DBInstance:
    """ModifyDBInstance, with what PostgreSQL refuses."""
    database = self.databases.get(db_instance_identifier)
    if database is not None and database.engine == ENGINE and database.db_cluster_identifier is None:
        version = db_kwargs.get("engine_version")
        if version is not None:
            db_kwargs["engine_version"] = _upgraded(database.engine_version, version, db_kwargs.get("allow_major_version_upgrade"))
        cls = db_kwargs.get("db_instance_class")
        if cls is not None and cls != database.db_instance_class:
            _require_class(self, cls, db_kwargs.get("engine_version") or database.engine_version)
        _require_storage(database, db_kwargs.get("allocated_storage"))
    return moto_modify(self, db_instance_identifier, db_kwargs)


def _upgraded(now: str, wanted: str, major_allowed: Any) -> str:
    """What the database has afterwards. A major version alone means its default minor version, if that is higher ("ModifyDBInstance",
    Amazon RDS API Reference, read 2026-11-30)."""
    if wanted in (now, now.partition(".")[0]):
        return max(now, _defaults.get(wanted, now), key=_key)
    full = _offered(wanted)
    if _key(full) < _key(now):
        raise InvalidParameterCombination(f"Cannot find upgrade path from {now} to {full}.")
    if full.partition(".")[0] != now.partition(".")[0] and str(major_allowed).lower() != "true":
        raise InvalidParameterCombination("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
    return full


def _require_storage(database: DBInstance, wanted: Any) -> None:
    """Storage gets no smaller, and larger by 10 % at least ("Scaling up DB instance storage", Amazon RDS User Guide, read 2026-11-30; its
    words for that are not known here). CloudFormation doesn't send a size that the template has not changed, since a database whose storage had
    grown could not be updated otherwise (aws-cloudformation-resource-providers-rds, pull request 598, 2025-03-14); nor does the plugin."""
    now = int(database.allocated_storage)
    if wanted is not None and (int(wanted) < now or now < int(wanted) < now * 1.1):
        raise InvalidParameterCombination(
            f"Invalid storage size for engine name {database.engine} and storage type {database.storage_type}: {wanted}"
        )


@replaces(RDSResponse)
def describe_db_engine_versions(self: RDSResponse) -> ActionResult:
    """DescribeDBEngineVersions of PostgreSQL: of one version, of a major version, or of all; those on offer unless told otherwise."""
    wanted = self.params.get("EngineVersion")
    everything, default_only = (str(self.params.get(name, False)).lower() == "true" for name in ("IncludeAll", "DefaultOnly"))
    versions = _versions() if self.params.get("Engine", ENGINE) == ENGINE else []
    if wanted:
        versions = [version for version in versions if wanted in (version, version.partition(".")[0])]
    if default_only:
        versions = [version for version in versions if version in _defaults.values()][:1]
    shown = [version for version in versions if everything or version not in _withdrawn]
    return PaginatedResult({"DBEngineVersions": [_described(version) for version in shown]})


def _described(version: str) -> dict[str, Any]:
    major = version.partition(".")[0]
    higher = [each for each in _versions() if _key(each) > _key(version) and each not in _withdrawn]
    return {
        "Engine": ENGINE,
        "EngineVersion": version,
        "MajorEngineVersion": major,
        "DBParameterGroupFamily": f"{ENGINE}{major}",
        "DBEngineDescription": "PostgreSQL",
        "Status": "deprecated" if version in _withdrawn else "available",
        "ValidUpgradeTarget": [
            {
                "Engine": ENGINE,
                "EngineVersion": each,
                "AutoUpgrade": each == _defaults[major],
                "IsMajorVersionUpgrade": not each.startswith(f"{major}."),
            }
            for each in higher
        ],
    }


moto_options = RDSResponse.describe_orderable_db_instance_options


@replaces(RDSResponse)
def describe_orderable_db_instance_options(self: RDSResponse) -> ActionResult:
    """DescribeOrderableDBInstanceOptions, also of PostgreSQL: an option for each version, class and type of storage."""
    if self.params.get("Engine") != ENGINE:
        return moto_options(self)
    version, cls = self.params.get("EngineVersion"), self.params.get("DBInstanceClass")
    versions = [each for each in _versions() if each not in _withdrawn and version in (None, each)]
    classes = [cls] if cls else [f"db.{family}.{size}" for family in FAMILIES for size in SIZES]
    account_id, region = self.backend.account_id, self.backend.region_name
    places = {each: _zones_of(account_id, region, each) for each in classes}
    options = [
        {
            "Engine": ENGINE,
            "EngineVersion": each,
            "DBInstanceClass": name,
            "LicenseModel": "postgresql-license",
            "AvailabilityZones": [{"Name": zone} for zone in zones],
            "MultiAZCapable": len(zones) > 1,
            "Vpc": True,
            "StorageType": storage,
            "MinStorageSize": 20,
            "MaxStorageSize": 65_536,
            "SupportsStorageEncryption": True,
            "SupportsStorageAutoscaling": True,
        }
        for each in versions
        for name, zones in places.items()
        if zones
        for storage in STORAGE_TYPES
    ]
    return PaginatedResult({"OrderableDBInstanceOptions": options})


def change(wanted: dict[str, Any]) -> None:
    """What happens on AWS by itself: storage that has grown or a minor version that was upgraded, of one database or of all of an
    account; versions that are withdrawn, what a major version stands for, and classes that are not offered, in some zones or at all.
    @raises KeyError, ValueError if it makes no sense."""
    unknown = set(wanted) - {"account", "region", "database", "storageGiB", "version", "withdrawn", "defaults", "missing"}
    if unknown:
        raise ValueError(f"databases have no {', '.join(sorted(unknown))}")
    for version in (*wanted.get("withdrawn", ()), *wanted.get("defaults", {}).values(), *filter(None, [wanted.get("version")])):
        if version not in _versions():
            raise ValueError(f"PostgreSQL has no version {version}")
    if "withdrawn" in wanted:
        _withdrawn.clear()
        _withdrawn.update(WITHDRAWN, wanted["withdrawn"])
    if "defaults" in wanted:
        _defaults.update(DEFAULTS)
        _defaults.update(wanted["defaults"])
    if "missing" in wanted:
        _missing.clear()
        _missing.update({cls: set(zones) if zones else None for cls, zones in wanted["missing"].items()})
    if "storageGiB" in wanted or "version" in wanted:
        for database in _databases(wanted["account"], wanted.get("region"), wanted.get("database")):
            _let_change(database, wanted)


def _databases(account_id: str, region: str | None, name: str | None) -> list[DBInstance]:
    backends = rds_backends[account_id]
    found = [
        database
        for where in ([region] if region else list(backends))
        for identifier, database in backends[where].databases.items()
        if name in (None, identifier)
    ]
    if not found:
        raise KeyError(f"account {account_id} has no such database")
    return found


def _let_change(database: DBInstance, wanted: dict[str, Any]) -> None:
    if "version" in wanted:
        database.engine_version = wanted["version"]
    if "storageGiB" in wanted:
        size, most = int(wanted["storageGiB"]), database.max_allocated_storage or 0
        if size > most:
            raise ValueError(f"{database.db_instance_identifier} may grow to {most} GiB")
        database.allocated_storage = size
