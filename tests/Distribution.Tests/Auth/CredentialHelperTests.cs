using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Tests.Auth;

/// <summary>Programs that keep credentials, and what they may do wrong.</summary>
public sealed class CredentialHelperTests : IDisposable
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserExecute;
    private static readonly string s_bin = Bin();

    private readonly string _config = Directory.CreateTempSubdirectory().FullName;
    private readonly string _name = "t" + Guid.NewGuid().ToString("N");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Directory.Delete(_config, true);
        File.Delete(Program);
    }

    private string Program => Path.Combine(s_bin, "docker-credential-" + _name);

    [Theory]
    [InlineData("credHelpers")]
    [InlineData("credsStore")]
    public async Task Find_HelperKnowsTheHost_GivesItsAnswer(string where)
    {
        Helper("""read host; echo "{\"ServerURL\":\"$host\",\"Username\":\"u-$host\",\"Secret\":\"p\"}" """);

        var found = await FindAsync(where);

        Assert.Equal("u-registry.test:5000", found!.Username);
        Assert.Equal("p", found.Password);
    }

    [Fact]
    public async Task Find_TokenUser_IsAnIdentityToken()
    {
        Helper("""echo '{"Username":"<token>","Secret":"id"}'""");

        Assert.Equal("id", (await FindAsync())!.IdentityToken);
    }

    [Fact]
    public async Task Find_HelperHasNone_IsAnonymous()
    {
        Helper("echo 'credentials not found in native keychain'; exit 1");

        Assert.Null(await FindAsync());
    }

    [Theory]
    [InlineData("echo secret nonsense", "not understood")]
    [InlineData("echo '[]'", "not understood")]
    [InlineData("echo broken; exit 3", "code 3")]
    [InlineData("exec yes secret", "too much")]
    [InlineData("exec sleep 60", "in time")]
    public async Task Find_HelperFails_NamesItAndNotWhatItSaid(string script, string why)
    {
        Helper(script);

        var error = await Assert.ThrowsAsync<ImageStoreException>(() => FindAsync());

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.Contains($"docker-credential-{_name}", error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("../../bin/sh")]
    public async Task Find_HelperIsNotThere_SaysSo(string? name)
    {
        var error = await Assert.ThrowsAsync<ImageStoreException>(() => FindAsync(name: name ?? "nowhere-" + _name));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.NotNull(error.Remedy);
    }

    private static string Bin()
    {
        var bin = Directory.CreateTempSubdirectory("helpers-").FullName;
        Environment.SetEnvironmentVariable("PATH", $"{bin}:{Environment.GetEnvironmentVariable("PATH")}");
        return bin;
    }

    private void Helper(string script)
    {
        File.WriteAllText(Program, "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(Program, Executable);
    }

    private Task<Credential?> FindAsync(string where = "credsStore", string? name = null)
    {
        name ??= _name;
        File.WriteAllText(
            Path.Combine(_config, "config.json"),
            where == "credsStore"
                ? $$"""{"credsStore":"{{name}}"}"""
                : $$$"""{"credHelpers":{"registry.test:5000":"{{{name}}}"}}""");
        var options = new RegistryOptions
        {
            DockerConfigDirectory = _config, CredentialHelperTimeout = TimeSpan.FromSeconds(1),
        };
        return new CredentialStore(options).FindAsync("registry.test:5000", "team/app", Ct);
    }
}
