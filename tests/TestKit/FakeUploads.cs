using System.Collections.Concurrent;
using System.Globalization;
using ImageStore.Store.Oci;

namespace ImageStore.TestKit;

/// <summary>The writing half of a <see cref="FakeRegistry"/>: upload sessions, mounts, manifests, deletion.</summary>
public sealed class FakeUploads
{
    private readonly ConcurrentDictionary<string, byte[]> _sessions = new();
    private int _count;

    /// <summary>Name the whole address in Location, not the path alone.</summary>
    public bool AbsoluteLocations { get; set; }

    /// <summary>What it asks of chunks but the last.</summary>
    public int? ChunkMinLength { get; set; }

    /// <summary>Take every chunk, and keep the first alone, as ECR does.</summary>
    public bool LosesChunks { get; set; }

    /// <summary>The most bytes of one request's body; more is 413.</summary>
    public int? MaxBody { get; set; }

    /// <summary>Note subjects, say so, and list referrers.</summary>
    public bool HasReferrersApi { get; set; }

    /// <summary>Take blobs over from other repositories.</summary>
    public bool Mounts { get; set; } = true;

    internal FakeResponse? Serve(FakeRequest request, FakeRegistry registry)
    {
        var path = request.Target.Split('?')[0];
        return MaxBody is { } most && request.Bytes.Length > most ? FakeResponse.Text(413, "<html>too large</html>")
            : path.Contains("/blobs/uploads/", StringComparison.Ordinal) ? Upload(request, registry, path)
            : request.Method == "PUT" && path.Contains("/manifests/", StringComparison.Ordinal) ? PutManifest(request, registry, path)
            : request.Method == "DELETE" ? new FakeResponse { Status = registry.Remove(path) ? 202 : 404 }
            : path.Contains("/referrers/", StringComparison.Ordinal) ? Referrers(registry, path)
            : null;
    }

    private FakeResponse Upload(FakeRequest request, FakeRegistry registry, string path)
    {
        var repository = path["/v2/".Length..path.IndexOf("/blobs/uploads/", StringComparison.Ordinal)];
        var query = Query(request.Target);
        if (request.Method == "POST")
        {
            if (Mounts && query.TryGetValue("mount", out var mount) && registry.Mount(query.GetValueOrDefault("from"), repository, mount))
            {
                return new FakeResponse { Status = 201 };
            }

            var session = Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture);
            _sessions[session] = [];
            return Session(202, repository, session, registry, 0);
        }

        var id = path[(path.LastIndexOf('/') + 1)..];
        if (query.GetValueOrDefault("state") != $"s/{id}=" || !_sessions.TryGetValue(id, out var bytes))
        {
            return FakeResponse.Text(404, """{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}""");
        }

        switch (request.Method)
        {
            case "GET":
                return Session(204, repository, id, registry, bytes.Length);
            case "PATCH":
                var from = request.Header("Content-Range") is { } range
                    ? int.Parse(range[..range.IndexOf('-', StringComparison.Ordinal)], CultureInfo.InvariantCulture)
                    : bytes.Length;
                if (LosesChunks && bytes.Length > 0)
                {
                    return Session(201, repository, id, registry, from + request.Bytes.Length);
                }

                if (from != bytes.Length)
                {
                    return Session(416, repository, id, registry, bytes.Length);
                }

                _sessions[id] = [.. bytes, .. request.Bytes];
                return Session(202, repository, id, registry, bytes.Length + request.Bytes.Length);
            case "PUT":
                _sessions.TryRemove(id, out _);
                byte[] whole = [.. bytes, .. request.Bytes];
                var wanted = Digest.Parse(query["digest"], CultureInfo.InvariantCulture);
                if (Digest.Compute(whole, wanted.Algorithm) != wanted)
                {
                    return FakeResponse.Text(400, """{"errors":[{"code":"DIGEST_INVALID","message":"other digest"}]}""");
                }

                registry.Put($"/v2/{repository}/blobs/{wanted}", "application/octet-stream", whole);
                return new FakeResponse { Status = 201 };
            default:
                return new FakeResponse { Status = 405 };
        }
    }

    private FakeResponse Session(int status, string repository, string id, FakeRegistry registry, int length)
    {
        // A query that has to come back as it is.
        var location = $"{(AbsoluteLocations ? $"http://{registry.Host}" : string.Empty)}/v2/{repository}/blobs/uploads/{id}?state=s%2F{id}%3D";
        var headers = new Dictionary<string, string> { ["Location"] = location };
        if (length > 0)
        {
            headers["Range"] = $"0-{length - 1}";
        }

        if (ChunkMinLength is { } minimum)
        {
            headers["OCI-Chunk-Min-Length"] = minimum.ToString(CultureInfo.InvariantCulture);
        }

        return new FakeResponse { Status = status, Headers = headers };
    }

    private FakeResponse PutManifest(FakeRequest request, FakeRegistry registry, string path)
    {
        var type = request.Header("Content-Type")!;
        var digest = Digest.Compute(request.Bytes);
        registry.Put(path, type, request.Bytes);
        registry.Put($"{path[..path.LastIndexOf('/')]}/{digest}", type, request.Bytes);
        var headers = new Dictionary<string, string> { ["Docker-Content-Digest"] = digest.ToString() };
        if (HasReferrersApi && DocumentLinks.Parse(request.Bytes, type).Subject is { } subject)
        {
            headers["OCI-Subject"] = subject.Digest.ToString();
        }

        return new FakeResponse { Status = 201, Headers = headers };
    }

    private FakeResponse? Referrers(FakeRegistry registry, string path)
    {
        if (!HasReferrersApi)
        {
            return FakeResponse.Text(404, "404 page not found");
        }

        var subject = path[(path.LastIndexOf('/') + 1)..];
        var repository = path["/v2/".Length..path.IndexOf("/referrers/", StringComparison.Ordinal)];
        var found = registry.Manifests(repository)
            .Select(one => (one.MediaType, one.Bytes, Links: DocumentLinks.Parse(one.Bytes, one.MediaType)))
            .Where(one => one.Links.Subject?.Digest.ToString() == subject)
            .Select(one => new Descriptor
            {
                MediaType = one.MediaType, Digest = Digest.Compute(one.Bytes), Size = one.Bytes.Length, ArtifactType = one.Links.ArtifactType,
            });
        return new FakeResponse
        {
            Headers = new Dictionary<string, string> { ["Content-Type"] = MediaTypes.OciIndex },
            Body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
                new ImageIndex { SchemaVersion = 2, MediaType = MediaTypes.OciIndex, Manifests = [.. found] }, OciJson.Default.ImageIndex),
        };
    }

    private static Dictionary<string, string> Query(string target)
    {
        var question = target.IndexOf('?', StringComparison.Ordinal);
        return question < 0 ? [] : target[(question + 1)..].Split('&')
            .Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]));
    }
}
