using ImageStore.Distribution.Hosts;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Tests.Hosts;

/// <summary>hosts.toml: what containerd's users write, and their slips.</summary>
public sealed class HostsFileTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-hosts-");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public void Read_ContainerdsExample_IsUnderstood()
    {
        File.WriteAllText(In("ca.pem"), "x");
        var hosts = Read("""
            server = "https://registry-1.docker.io"

            [host."https://mirror.example:8443/v2/proxy"]
              capabilities = ["pull", "resolve"]
              ca = "ca.pem"
              override_path = true
              dial_timeout = "1m30s"
              max_bytes_per_second = 1000000
              [host."https://mirror.example:8443/v2/proxy".header]
                x-one = "a"
                x-many = ["b", "c"]

            [host."second.example"]
              skip_verify = true
            """);

        Assert.Equal(["https://mirror.example:8443/", "https://second.example/", "https://registry-1.docker.io/"], hosts.Select(host => host.Origin.ToString()));
        Assert.Equal(["/v2/proxy", "/v2", "/v2"], hosts.Select(host => host.BasePath));
        Assert.Equal([false, false, true], hosts.Select(host => host.IsUpstream));
        var first = hosts[0];
        Assert.Equal(HostCapabilities.Pull | HostCapabilities.Resolve, first.Capabilities);
        Assert.Equal(TimeSpan.FromSeconds(90), first.DialTimeout);
        Assert.Equal(1_000_000, first.MaxBytesPerSecond);
        Assert.Equal([("x-one", "a"), ("x-many", "b"), ("x-many", "c")], first.Headers);
        Assert.Equal(In("ca.pem"), Assert.Single(first.Tls.Authorities));
        Assert.True(hosts[1].Tls.SkipVerify);
        Assert.Equal("docker.io", hosts[2].CredentialKey);
    }

    [Fact]
    public void Read_FallbackForbidden_LeavesOutTheUpstream()
    {
        var hosts = Read("fallback = false\n[host.\"https://only.example\"]\n");

        Assert.Equal("https://only.example/", Assert.Single(hosts).Origin.ToString());
    }

    [Fact]
    public void Read_Client_InEachOfItsThreeForms()
    {
        foreach (var name in (string[])["a.pem", "b.pem", "b.key"])
        {
            File.WriteAllText(In(name), "x");
        }

        Assert.Equal([(In("a.pem"), null)], Read("client = \"a.pem\"")[0].Tls.Clients);
        Assert.Equal([(In("a.pem"), (string?)null), (In("b.pem"), null)], Read("client = [\"a.pem\", \"b.pem\"]")[0].Tls.Clients);
        Assert.Equal([(In("b.pem"), In("b.key"))], Read("client = [[\"b.pem\", \"b.key\"]]")[0].Tls.Clients);
    }

    [Fact]
    public void Read_Credentials_AreToldByKindAndNeverShown()
    {
        File.WriteAllText(In("secret"), "hunter2\n");
        var host = Read("""
            [host."https://m.example"]
              [host."https://m.example".auth]
                username = "me"
                password_file = "secret"
            """)[0];

        Assert.Equal("hunter2", host.OwnCredential!.Password);
        Assert.DoesNotContain("hunter2", host.OwnCredential.Describe(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("server = ", 1, "")]
    [InlineData("serve = \"x\"", 1, "'serve' is not known")]
    [InlineData("[host.\"https://m\"]\n  capabilties = [\"pull\"]", 2, "'capabilties' is not known")]
    [InlineData("[host.\"https://m\"]\n\n  capabilities = [\"pul\"]", 3, "'pul' is no capability")]
    [InlineData("[host.\"ftp://m\"]", 1, "not an http or https address")]
    [InlineData("[host.\"https://me:pw@m\"]", 1, "must not hold a user name")]
    [InlineData("[host.\"https://m?x=1\"]", 1, "query")]
    [InlineData("[host.\"https://m\"]\n  ca = \"missing.pem\"", 2, "missing.pem is not there")]
    [InlineData("[host.\"https://m\"]\n  dial_timeout = \"soon\"", 2, "'soon' is no time")]
    [InlineData("[host.\"https://m\"]\n  skip_verify = \"yes\"", 2, "")]
    [InlineData("[host.\"https://m\"]\n  max_bytes_per_second = 0", 2, "more than 0")]
    [InlineData("[host.\"https://m\"]\n [host.\"https://m\".header]\n  \"a b\" = \"c\"", 3, "no header")]
    [InlineData("[host.\"https://m\"]\n [host.\"https://m\".auth]\n  username = \"only\"", 2, "a user name with a password")]
    [InlineData("fallback = false", 1, "there is no other host")]
    [InlineData("server = \"https://a\"\nserver = \"https://b\"", 2, "")]
    public void Read_Mistake_IsNamedWithItsLine(string text, int line, string reason)
    {
        var failure = Assert.Throws<ImageStoreException>(() => Read(text));

        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.Contains($"hosts.toml, line {line}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reg.example:5000")]
    [InlineData("reg.example_5000_")]
    [InlineData("_default")]
    public void Find_Spelling_IsFound(string folder)
    {
        Directory.CreateDirectory(In($"certs/{folder}"));
        File.WriteAllText(In($"certs/{folder}/hosts.toml"), "[host.\"https://m.example\"]");
        var options = new RegistryOptions { HostsDirectories = [In("certs")] };

        var hosts = HostsDirectory.Find(RegistryHost.Of(ImageReference.Parse("reg.example:5000/x"), options), options);

        Assert.Equal(["m.example", "reg.example:5000"], hosts.Select(host => host.Origin.Authority));
    }

    [Fact]
    public void Find_DockersCertificates_AreUsed()
    {
        Directory.CreateDirectory(In("certs/reg.example"));
        foreach (var name in (string[])["ca.crt", "client.cert", "client.key"])
        {
            File.WriteAllText(In($"certs/reg.example/{name}"), "x");
        }

        var options = new RegistryOptions { HostsDirectories = [In("certs")] };
        var host = Assert.Single(HostsDirectory.Find(RegistryHost.Of(ImageReference.Parse("reg.example/x"), options), options));

        Assert.EndsWith("ca.crt", Assert.Single(host.Tls.Authorities), StringComparison.Ordinal);
        Assert.EndsWith("client.key", Assert.Single(host.Tls.Clients).Key, StringComparison.Ordinal);
    }

    private IReadOnlyList<RegistryHost> Read(string text)
    {
        File.WriteAllText(In("hosts.toml"), text);
        return HostsFile.Read(In("hosts.toml"), RegistryHost.Of(ImageReference.Parse("docker.io/library/x"), new RegistryOptions()));
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
