using System.Text.Json;
using ImageStore.Integration.Tests.Support;
using ImageStore.Store.Oci;

namespace ImageStore.Integration.Tests;

/// <summary>Copies, pushes and questions against real registries, and what stands before them.</summary>
[Collection(RegistryGroup.Name)]
public sealed class RegistryClientTests(RegistryFixture registry) : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-client-");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public async Task Copy_MultiPlatformIndex_IsTheSameBytesAndThenUpToDate()
    {
        var layout = Index("one");
        var source = await registry.PushAsync(layout, "copy-source");
        await using var other = await DebianRegistry.StartAsync(In("other"));
        var cli = Cli();

        await cli.OkAsync("-q", "copy", source, $"{other.Host}/deep/er/copy:1");
        Assert.Contains("is up to date", await cli.OkAsync("-q", "copy", source, $"{other.Host}/deep/er/copy:1"), StringComparison.Ordinal);

        Assert.Equal(await cli.OkAsync("manifest", source), await cli.OkAsync("manifest", $"{other.Host}/deep/er/copy:1"));
        Assert.Equal(await cli.OkAsync("manifest", source), await RawAsync(other.Host, "deep/er/copy"));
        using var plan = JsonDocument.Parse(await cli.OkAsync("--format", "json", "copy", "--dry-run", source, $"{other.Host}/again:1"));
        Assert.True(plan.RootElement.GetProperty("result").GetProperty("bytesCopied").GetInt64() > 0);
        Assert.Equal(3, (await cli.TryAsync("tags", $"{other.Host}/again")).ExitCode);
    }

    [Fact]
    public async Task Push_WhatWasPulled_IsTheSameAndMounted()
    {
        registry.Need();
        var reference = await registry.PushAsync(Layouts.Random(Folder("layout"), 3, 3, 2000, seed: 21), "push-source");
        var cli = Cli();
        await cli.OkAsync("-q", "pull", "--no-unpack", reference);

        var told = await cli.OkAsync("-q", "push", reference, $"{registry.Host}/push-target:2");

        Assert.Equal(await cli.OkAsync("digest", reference), await cli.OkAsync("digest", $"{registry.Host}/push-target:2"));
        Assert.Contains("4 of them mounted", told, StringComparison.Ordinal);
        Assert.Equal("2\n", await cli.OkAsync("tags", $"{registry.Host}/push-target"));
    }

    [Fact]
    public async Task Referrers_RegistryWithoutTheApi_AreCopiedListedAndDeleted()
    {
        registry.Need();
        var layout = Layouts.Random(Folder("layout"), 1, 1, 100, seed: 22);
        var reference = await registry.PushAsync(layout, "referrers-source");
        var cli = Cli();
        var digest = (await cli.OkAsync("digest", reference)).Trim();
        var signed = Layouts.Referrer(layout, Folder("signed"), "application/x-signature");
        await cli.OkAsync("-q", "copy", $"oci:{signed}:signature", $"{registry.Host}/referrers-source:any");

        await cli.OkAsync("-q", "copy", "--referrers", reference, $"{registry.Host}/referrers-target:1");
        using var listed = JsonDocument.Parse(await cli.OkAsync("--format", "json", "referrers", $"{registry.Host}/referrers-target:1"));
        var referrer = Assert.Single(listed.RootElement.EnumerateArray());
        Assert.Equal("application/x-signature", referrer.GetProperty("artifactType").GetString());
        Assert.Contains($"sha256-{digest["sha256:".Length..]}", await cli.OkAsync("tags", $"{registry.Host}/referrers-target"), StringComparison.Ordinal);

        await cli.OkAsync("delete", $"{registry.Host}/referrers-target@{referrer.GetProperty("digest").GetString()}");
        Assert.Equal("[]\n", await cli.OkAsync("--format", "json", "referrers", $"{registry.Host}/referrers-target:1"));
    }

    [Fact]
    public async Task MutualTls_ThroughHostsToml_NeedsBothCertificates()
    {
        Run.Need("nginx");
        registry.Need();
        var reference = await registry.PushAsync(Layouts.Random(Folder("layout"), 1, 2, 1000, seed: 23), "mutual");
        var address = Addresses.OtherAddress();
        var host = $"{address}:{Addresses.FreePort()}";
        var authority = await Nginx.WriteCertificateAsync(In("nginx"), "server", address);
        var client = await Nginx.WriteCertificateAsync(In("nginx"), "client", null);
        await using var nginx = await Nginx.StartAsync(In("nginx"), host, $$"""
            server {
                listen {{host}} ssl;
                ssl_certificate {{authority}};
                ssl_certificate_key {{In("nginx/server.key")}};
                ssl_client_certificate {{client}};
                ssl_verify_client on;
                location / { proxy_set_header Host $http_host; proxy_pass http://{{registry.Host}}; }
            }
            """);
        var hosts = Folder($"certs/{host}");
        var lines = $"[host.\"https://{host}\"]\n  ca = \"{authority}\"\n";
        var cli = Cli(("IMAGESTORE_HOSTS_DIR", In("certs")));

        await File.WriteAllTextAsync(Path.Combine(hosts, "hosts.toml"), "fallback = false\n" + lines);
        Assert.NotEqual(0, (await cli.TryAsync("pull", "--no-unpack", $"{host}/mutual:latest")).ExitCode);
        await File.WriteAllTextAsync(
            Path.Combine(hosts, "hosts.toml"), $"fallback = false\n{lines}  client = [[\"{client}\", \"{In("nginx/client.key")}\"]]\n");
        await cli.OkAsync("-q", "pull", "--no-unpack", $"{host}/mutual:latest");
        var explained = await cli.OkAsync("hosts", "explain", $"{host}/mutual");

        Assert.Contains($"https://{host}", explained, StringComparison.Ordinal);
        Assert.Contains("hosts.toml, line 2", explained, StringComparison.Ordinal);
        Assert.Equal(await cli.OkAsync("digest", reference), await cli.OkAsync("digest", $"{host}/mutual:latest"));
    }

    [Fact]
    public async Task Http2_WhereItIsOffered_IsUsedExceptForPartsOfABlob()
    {
        Run.Need("nginx");
        registry.Need();
        var reference = await registry.PushAsync(Layouts.Random(Folder("layout"), 1, 1, 72_000_000, seed: 31), "http2");
        var address = Addresses.OtherAddress();
        var host = $"{address}:{Addresses.FreePort()}";
        var authority = await Nginx.WriteCertificateAsync(In("nginx"), "server", address);
        await using var nginx = await Nginx.StartAsync(In("nginx"), host, $$"""
            log_format versions '$server_protocol $request_method $request_uri $http_range';
            server {
                listen {{host}} ssl http2;
                ssl_certificate {{authority}};
                ssl_certificate_key {{In("nginx/server.key")}};
                access_log {{In("log")}} versions;
                limit_rate 6m;
                location / { proxy_set_header Host $http_host; proxy_pass http://{{registry.Host}}; proxy_max_temp_file_size 0; }
            }
            """);
        await File.WriteAllTextAsync(Path.Combine(Folder($"certs/{host}"), "hosts.toml"), $"server = \"https://{host}\"\nca = \"{authority}\"\n");
        var cli = Cli(("IMAGESTORE_HOSTS_DIR", In("certs")));

        await cli.OkAsync("-q", "copy", $"{host}/http2:latest", $"oci:{In("copy")}:x");

        var log = await File.ReadAllLinesAsync(In("log"));
        Assert.Contains(log, line => line.StartsWith("HTTP/2.0 HEAD /v2/http2/manifests/latest", StringComparison.Ordinal));
        Assert.Contains(log, line => line.StartsWith("HTTP/1.1 GET /v2/http2/blobs/", StringComparison.Ordinal) && line.Contains("bytes=", StringComparison.Ordinal));
        Assert.All(log, line => Assert.True(line.StartsWith("HTTP/2.0", StringComparison.Ordinal) != line.Contains("bytes=", StringComparison.Ordinal), line));
    }

    [Fact]
    public async Task Redirect_ToAnotherHost_CarriesNoCredential()
    {
        Run.Need("nginx");
        registry.Need();
        await registry.PushAsync(Layouts.Random(Folder("layout"), 2, 2, 5000, seed: 24), "redirected");
        var (front, storage) = ($"127.0.0.1:{Addresses.FreePort()}", $"127.0.0.1:{Addresses.FreePort()}");
        await File.WriteAllTextAsync(In("users"), "someone:{PLAIN}secret\n");
        await using var nginx = await Nginx.StartAsync(In("nginx"), front, $$"""
            server {
                listen {{front}};
                location / {
                    auth_basic "registry";
                    auth_basic_user_file {{In("users")}};
                    proxy_set_header Host $http_host;
                    proxy_set_header Authorization "";
                    proxy_pass http://{{registry.Host}};
                }
                location ~ /blobs/ {
                    auth_basic "registry";
                    auth_basic_user_file {{In("users")}};
                    return 307 http://{{storage}}$request_uri;
                }
            }
            server {
                listen {{storage}};
                # As S3 does: one way of authentication only.
                if ($http_authorization) { return 400; }
                location / { proxy_set_header Host $http_host; proxy_pass http://{{registry.Host}}; }
            }
            """);
        var cli = Cli();
        Assert.Equal(0, (await cli.TryWithInputAsync("secret", "login", "-u", "someone", "--password-stdin", front)).ExitCode);

        await cli.OkAsync("-q", "pull", "--no-unpack", $"{front}/redirected:latest");
        await cli.OkAsync("-q", "copy", $"{front}/redirected:latest", $"oci:{In("copy")}:x");
    }

    [Fact]
    public async Task RateLimit_429AndRetryAfter_IsWaitedForAndAllArrives()
    {
        Run.Need("nginx");
        registry.Need();
        var reference = await registry.PushAsync(Layouts.Random(Folder("layout"), 8, 1, 5000, seed: 25), "limited");
        var front = $"127.0.0.1:{Addresses.FreePort()}";
        await using var nginx = await Nginx.StartAsync(In("nginx"), front, $$"""
            limit_req_zone all zone=z:1m rate=10r/s;
            limit_req_status 429;
            server {
                listen {{front}};
                location / { limit_req zone=z burst=2 nodelay; proxy_set_header Host $http_host; proxy_pass http://{{registry.Host}}; }
            }
            """.Replace("limit_req_zone all", "limit_req_zone $server_name", StringComparison.Ordinal));

        await Cli().OkAsync("-q", "pull", "--no-unpack", $"{front}/limited:latest");

        Assert.Equal(await Cli().OkAsync("digest", reference), await Cli().OkAsync("digest", $"{registry.Host}/limited:latest"));
    }

    [Fact]
    public async Task Connections_BreakInTheMiddle_PullAndPushGoOn()
    {
        Run.Need("nginx");
        registry.Need();
        var layout = Layouts.Random(Folder("layout"), 2, 4, 2_000_000, seed: 26);
        await registry.PushAsync(layout, "broken");
        var front = $"127.0.0.1:{Addresses.FreePort()}";
        await using var nginx = await Nginx.StartAsync(In("nginx"), front, $$"""
            server {
                listen {{front}};
                limit_rate 4m;
                proxy_request_buffering off;
                location / { proxy_set_header Host $http_host; proxy_pass http://{{registry.Host}}; }
            }
            """);
        var cli = Cli();

        var pull = cli.TryAsync("-q", "pull", "--no-unpack", $"{front}/broken:latest");
        await Task.Delay(700);
        await nginx.RestartAsync(front);
        var pulled = await pull;
        Assert.True(pulled.ExitCode == 0, pulled.Error);

        var push = cli.TryAsync("-q", "--limit-rate", "6M", "push", $"{front}/broken:latest", $"{front}/pushed:1");
        await Task.Delay(700);
        await nginx.RestartAsync(front);
        var pushed = await push;
        Assert.True(pushed.ExitCode == 0, pushed.Error);
        Assert.Equal(await cli.OkAsync("digest", $"{registry.Host}/broken:latest"), await cli.OkAsync("digest", $"{registry.Host}/pushed:1"));
    }

    [Fact]
    public async Task HttpProxy_FromTheEnvironment_IsUsed()
    {
        registry.Need();
        await registry.PushAsync(Layouts.Random(Folder("layout"), 1, 1, 100, seed: 27), "proxied");

        var tags = await Cli(("HTTP_PROXY", $"http://{registry.Host}")).OkAsync("tags", "--plain-http", "nowhere.example/proxied");

        Assert.Equal("latest\n", tags);
    }

    [Fact]
    public async Task Mirror_ThereAndBack_ThroughADelta()
    {
        registry.Need();
        await registry.PushAsync(Layouts.Random(Folder("a"), 2, 1, 4000, seed: 28), "mirror/a");
        await registry.PushAsync(Index("b"), "mirror/b");
        await using var far = await DebianRegistry.StartAsync(In("far"));
        var cli = Cli();
        await File.WriteAllTextAsync(In("first.yaml"), $"repositories:\n  - {registry.Host}/mirror/a\n");
        await File.WriteAllTextAsync(In("both.yaml"), $"repositories:\n  - {registry.Host}/mirror/a\n  - {{name: {registry.Host}/mirror/b, tags: 'l*'}}\n");

        await cli.OkAsync("mirror", "-f", In("first.yaml"), "--to", $"oci-archive:{In("one.tar")}");
        await cli.OkAsync("mirror", "-f", In("both.yaml"), "--to", $"oci-archive:{In("two.tar")}", "--have", In("one.tar"));
        var early = await cli.TryAsync("mirror", "--from", $"oci-archive:{In("two.tar")}", "--to", $"{far.Host}/in");
        Assert.Equal(5, early.ExitCode);
        await cli.OkAsync("mirror", "--from", $"oci-archive:{In("one.tar")}", "--to", $"{far.Host}/in");
        var report = await cli.OkAsync("--format", "json", "mirror", "--from", $"oci-archive:{In("two.tar")}", "--to", $"{far.Host}/in");

        using var json = JsonDocument.Parse(report);
        Assert.Equal(["UpToDate", "Copied"], json.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("status").GetString()));
        foreach (var name in (string[])["mirror/a", "mirror/b"])
        {
            Assert.Equal(await cli.OkAsync("manifest", $"{registry.Host}/{name}"), await cli.OkAsync("manifest", $"{far.Host}/in/{name}"));
        }
    }

    private string Index(string name)
    {
        registry.Need();
        return Layouts.WriteIndex(Folder(name), new Dictionary<Platform, IReadOnlyList<Layouts.Layer>>
        {
            [Platform.Parse("linux/amd64")] = [new LayerBuilder().File("a", [1, 2, 3]).ToArray().AsLayer()],
            [Platform.Parse("linux/arm64")] = [new LayerBuilder().File("b", [4, 5, 6]).ToArray().AsLayer()],
        });
    }

    private static Task<string> RawAsync(string host, string repository) =>
        Run.AsyncOk("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{host}/{repository}:1");

    private ImageStoreCli Cli(params (string Name, string Value)[] environment) => new(
        In("root"),
        environment.Append(("DOCKER_CONFIG", In("docker"))).ToDictionary(pair => pair.Item1, pair => pair.Item2));

    private string Folder(string name) => Directory.CreateDirectory(In(name)).FullName;

    private string In(string name) => Path.Combine(_work.FullName, name);
}
