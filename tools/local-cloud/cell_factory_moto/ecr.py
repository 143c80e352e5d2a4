"""ECR: layers, and copies in other regions. moto keeps manifests only, takes one whose layers nobody has, and replicates nothing.

Sources: "Private image replication in Amazon ECR" (Amazon ECR User Guide: only what is pushed after a rule was made is copied, and a
repository is made with the first copy); PutImage, DescribeImageReplicationStatus (Amazon ECR API Reference). Read on 2026-11-30."""

import base64
import hashlib
import json
import re
import threading
import uuid
from typing import Any

from flask import request
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ecr.models import ECRBackend, Image, ecr_backends
from moto.ecr.responses import ECRResponse

from .replacing import replaces

COPIED_AFTER = 2.0
"""Seconds that a copy takes. On AWS most are there within half an hour."""

PART_BYTES = 1024
"""What an upload's parts must have, but for the last. On AWS megabytes: here a few kilobytes are several parts."""

_put_image = ECRBackend.put_image

_IMAGE = re.compile(r"^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+/([^@]+)@(sha256:[0-9a-f]{64})$")


def _layers(backend: ECRBackend, repository: str) -> dict[str, bytes]:
    return backend.__dict__.setdefault("cell_factory_layers", {}).setdefault(repository, {})


def _uploads(backend: ECRBackend) -> dict[str, bytearray]:
    return backend.__dict__.setdefault("cell_factory_uploads", {})


def _copies(backend: ECRBackend, repository: str, digest: str) -> dict[str, str]:
    """How far the copies of an image are, by region."""
    return backend.__dict__.setdefault("cell_factory_copies", {}).setdefault((repository, digest), {})


def _digest(text: bytes) -> str:
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


@replaces(ECRBackend)
def put_image(
    self: ECRBackend,
    repository_name: str,
    image_manifest: str,
    image_tag: str,
    image_manifest_mediatype: str | None = None,
    digest: str | None = None,
) -> Image:
    """moto takes any manifest under any digest; AWS wants the manifest's own digest, and every layer to be there."""
    self.describe_repositories(repository_names=[repository_name])
    found = _digest(image_manifest.encode())
    if digest not in (None, found):
        raise JsonRESTError("ImageDigestDoesNotMatchException", f"The calculated digest {found} doesn't match {digest}.")
    manifest = json.loads(image_manifest)
    parts = [part["digest"] for part in [*manifest.get("layers", []), manifest.get("config")] if part]
    missing = [part for part in parts if part not in _layers(self, repository_name)]
    if missing:
        raise JsonRESTError("LayersNotFoundException", f"Layers with digests {missing} required for pushing image were not found.")
    image = _put_image(self, repository_name, image_manifest, image_tag, image_manifest_mediatype, found)
    for rule in (self.replication_config or {}).get("rules", []):
        for there in rule["destinations"]:
            _copies(self, repository_name, found)[there["region"]] = "IN_PROGRESS"
            timer = threading.Timer(COPIED_AFTER, _copy, (self, repository_name, image, there["registryId"], there["region"]))
            timer.daemon = True
            timer.start()
    return image


def _copy(home: ECRBackend, repository: str, image: Image, account: str, region: str) -> None:
    there = ecr_backends[account][region]
    if repository not in there.repositories:
        there.create_repository(repository, None, "IMMUTABLE", None, None, None)
    _layers(there, repository).update(_layers(home, repository))
    digest = image.get_image_digest()
    if not any(each.get_image_digest() == digest for each in there.repositories[repository].images):
        tag, media_type = image.image_tag, image.image_manifest_media_type
        _put_image(there, repository, image.image_manifest, tag, media_type, digest)
    _copies(home, repository, digest)[region] = "COMPLETE"


def missing_image(uri: str) -> str | None:
    """The URI, if it names an image by digest that its registry in this cloud does not have in that region. An image by tag may be one
    that nobody pushes, because no container runs here."""
    named = _IMAGE.match(uri)
    if not named:
        return None
    account, region, repository, digest = named.groups()
    known = account in ecr_backends and any(repository in backend.repositories for backend in ecr_backends[account].values())
    images = ecr_backends[account][region].repositories[repository].images if known and _has(account, region, repository) else []
    return uri if known and not any(image.get_image_digest() == digest for image in images) else None


def _has(account: str, region: str, repository: str) -> bool:
    return repository in ecr_backends[account][region].repositories


@replaces(ECRResponse)
def describe_image_replication_status(self: ECRResponse) -> ActionResult:
    """DescribeImageReplicationStatus: of an image that was pushed before there was a rule, nothing."""
    repository, image_id = self._get_param("repositoryName"), self._get_param("imageId")
    found = self.ecr_backend.batch_get_image(repository, None, [image_id])["images"]
    if not found:
        raise JsonRESTError("ImageNotFoundException", f"The image with imageId {image_id} does not exist within the repository.")
    digest = found[0].get_image_digest()
    statuses = [
        {"region": region, "registryId": self.current_account, "status": status}
        for region, status in _copies(self.ecr_backend, repository, digest).items()
    ]
    return ActionResult({"repositoryName": repository, "imageId": {"imageDigest": digest}, "replicationStatuses": statuses})


@replaces(ECRResponse)
def batch_check_layer_availability(self: ECRResponse) -> ActionResult:
    repository = self._get_param("repositoryName")
    self.ecr_backend.describe_repositories(repository_names=[repository])
    there = _layers(self.ecr_backend, repository)
    layers = [
        {"layerDigest": digest, "layerAvailability": "AVAILABLE" if digest in there else "UNAVAILABLE"}
        for digest in self._get_param("layerDigests")
    ]
    return ActionResult({"layers": layers, "failures": []})


@replaces(ECRResponse)
def initiate_layer_upload(self: ECRResponse) -> ActionResult:
    self.ecr_backend.describe_repositories(repository_names=[self._get_param("repositoryName")])
    upload = str(uuid.uuid4())
    _uploads(self.ecr_backend)[upload] = bytearray()
    return ActionResult({"uploadId": upload, "partSize": PART_BYTES})


@replaces(ECRResponse)
def upload_layer_part(self: ECRResponse) -> ActionResult:
    """UploadLayerPart: one after the other, each as long as was asked for."""
    upload, first, last = self._get_param("uploadId"), self._get_param("partFirstByte"), self._get_param("partLastByte")
    blob = self._get_param("layerPartBlob")
    part = base64.b64decode(blob) if isinstance(blob, str) else blob
    data = _uploads(self.ecr_backend)[upload]
    if first != len(data) or last != first + len(part) - 1 or len(data) % PART_BYTES:
        raise JsonRESTError("InvalidLayerPartException", f"The layer part {first}-{last} doesn't follow {len(data)} bytes of whole parts.")
    data.extend(part)
    return ActionResult({"uploadId": upload, "lastByteReceived": last})


@replaces(ECRResponse)
def complete_layer_upload(self: ECRResponse) -> ActionResult:
    repository, wanted = self._get_param("repositoryName"), self._get_param("layerDigests")
    data = bytes(_uploads(self.ecr_backend).pop(self._get_param("uploadId")))
    found = _digest(data)
    if found not in wanted:
        raise JsonRESTError("InvalidLayerException", f"The layer has digest {found}, not {wanted}.")
    if found in _layers(self.ecr_backend, repository):
        raise JsonRESTError("LayerAlreadyExistsException", f"Layer with digest {found} already exists.")
    _layers(self.ecr_backend, repository)[found] = data
    return ActionResult({"repositoryName": repository, "layerDigest": found})


@replaces(ECRResponse)
def get_download_url_for_layer(self: ECRResponse) -> ActionResult:
    repository, digest = self._get_param("repositoryName"), self._get_param("layerDigest")
    if digest not in _layers(self.ecr_backend, repository):
        raise JsonRESTError("LayersNotFoundException", f"Layer {digest} was not found.")
    place = "/".join([self.current_account, self.region, digest, repository])
    return ActionResult({"downloadUrl": f"{request.host_url}moto-api/cell-factory/layers/{place}", "layerDigest": digest})


def layer(account: str, region: str, digest: str, repository: str) -> bytes:
    """A layer, for whoever has its URL."""
    return _layers(ecr_backends[account][region], repository)[digest]
