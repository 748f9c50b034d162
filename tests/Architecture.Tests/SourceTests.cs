using System.Text.RegularExpressions;

namespace ImageStore.Architecture.Tests;

/// <summary>What the compiler does not check of a file.</summary>
public sealed partial class SourceTests
{
    private const int MaxLines = 400;

    /// <summary>The program's start has statements and no type; usings for a whole project have neither.</summary>
    private static readonly string[] s_withoutType = ["Program.cs", "GlobalUsings.cs"];

    private static IEnumerable<string> All => Repository.Projects.Append("tests").SelectMany(Repository.Sources);

    [Fact]
    public void Sources_AreFound() => Assert.True(All.Count() > 150);

    [Fact]
    public void Files_AreShort() =>
        Assert.DoesNotContain(All, file => File.ReadLines(Path.Combine(Repository.Root, file)).Count() > MaxLines);

    [Fact]
    public void Files_OfOneType_AreNamedAfterIt() => Assert.DoesNotContain(
        All.Where(file => !s_withoutType.Contains(Path.GetFileName(file))),
        file => TypesOf(file) is var types
            && types.Count < 2
            && !types.Contains(Path.GetFileName(file).Split('.')[0]));

    [Fact]
    public void Namespaces_FollowTheFolders() => Assert.DoesNotContain(
        Repository.Projects.SelectMany(Repository.Sources).Where(file => Path.GetFileName(file) != "Program.cs"),
        file => Namespace().Match(Text(file)).Groups[1].Value
            != "ImageStore." + Path.GetDirectoryName(file)!.Replace('/', '.'));

    [Fact]
    public void Names_ThatFilesGetForGood_AreGivenInTheStoreAlone() => Assert.DoesNotContain(
        Repository.Projects.Where(project => project != "Store").SelectMany(Repository.Sources),
        file => Text(file).Contains("File.Move(", StringComparison.Ordinal));

    private static HashSet<string> TypesOf(string file) =>
        [.. Type().Matches(Text(file)).Select(match => match.Groups[1].Value)];

    private static string Text(string file) => File.ReadAllText(Path.Combine(Repository.Root, file));

    [GeneratedRegex(@"^(?:[a-z]+ )*(?:class|struct|interface|enum|record|delegate \w+)(?: class| struct)? (\w+)", RegexOptions.Multiline)]
    private static partial Regex Type();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
