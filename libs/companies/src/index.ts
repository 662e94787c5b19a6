export * from './company.events.js';
export {
  company,
  companyStream,
  countsAsPerson,
  openCompanyCard,
  registerCompany,
  requireCompany,
  type Company,
  type KnownCompany,
  type OpenedCompanyCard,
} from './company.js';
export { readAddress, readCompany, regionOf, type CompanyInput } from './company-input.js';
export { RegisterCompany, type CompanyRegistration } from './register-company.js';
export { RectifyCompany, type CompanyRectification } from './rectify-company.js';
export { GetCompanyCard, type CompanyCardView } from './company-card.query.js';
export { companyCard } from './company-card.projection.js';
export { CompaniesModule } from './companies.module.js';
